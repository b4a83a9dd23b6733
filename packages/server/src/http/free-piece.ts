import type { ServerResponse } from 'node:http';

/**
 * Gives the memory of a piece back at once; for whoever has it for itself, and is done with it. A part
 * of something larger stays. The collector does as much, but is called by the size of what waits for
 * it, and then goes through everything that lives: for a large file, that is more work than to send it.
 */
export function freePiece(piece: Uint8Array): void {
  const { buffer } = piece;
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === piece.byteLength;
  if (whole && !buffer.detached) buffer.transfer(0);
}

/**
 * Has an answer free its pieces when the system has taken them. Only for one whose pieces are nobody
 * else's; without a socket, nothing happens.
 */
export function freeWritten(outgoing: ServerResponse | undefined): void {
  if (outgoing === undefined) return;
  const write = outgoing.write.bind(outgoing);
  outgoing.write = (piece: Uint8Array): boolean =>
    write(piece, (error) => {
      if (error == null) freePiece(piece);
    });
}
