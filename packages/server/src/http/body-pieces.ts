import type { IncomingMessage } from 'node:http';
import { freePiece } from './free-piece.ts';

interface ArrivingRequest {
  readonly request: Request;
  /** Node's own form of it. Undefined where it came by no socket, as in a test. */
  readonly incoming: IncomingMessage | undefined;
}

/**
 * The body of a request, as it arrives; for a body that nobody else reads. A piece is gone when the
 * next one is asked for. From Node's own request where there is one: its web stream copies every
 * piece, and to collect the copies of a large file takes longer than all other work on it.
 * @throws what the connection fails with
 */
export async function* bodyPieces({
  request,
  incoming,
}: ArrivingRequest): AsyncIterable<Uint8Array> {
  if (incoming === undefined) {
    if (request.body !== null) yield* request.body;
    return;
  }
  // Whoever stops reading has an answer to give on this connection, which must stay for it.
  const pieces: AsyncIterable<Buffer> = incoming.iterator({ destroyOnReturn: false });
  for await (const piece of pieces) {
    yield piece;
    freePiece(piece);
  }
}
