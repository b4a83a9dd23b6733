import type { Socket } from 'node:net';

type Source = AsyncIterable<Uint8Array> | Uint8Array;

/**
 * What a pipe holds (pipe(7)). One that is empty takes a piece of this size at once; of a larger one,
 * the rest would follow page by page as the reader makes room, which takes twice the time.
 */
const pieceBytes = 65_536;

/**
 * Writes a program's input and closes it. Stops without an error when the program stops reading.
 * @throws what the source throws.
 */
export async function feedStdin(stdin: Promise<Socket | null>, source: Source): Promise<void> {
  const socket = await stdin;
  if (socket === null) return;
  const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
  try {
    if (source instanceof Uint8Array) {
      await write(socket, source, closed);
      return;
    }
    const iterator = source[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([iterator.next(), closed]);
      if (next !== true && next.done === true) return;
      if (next !== true && (await write(socket, next.value, closed))) continue;
      // Not awaited: a source that hangs may never answer.
      iterator.return?.().catch(() => {});
      return;
    }
  } finally {
    // Not `end()`: that shuts a socket down, and a FIFO is none (shutdown(2), ENOTSOCK).
    socket.destroy();
  }
}

/** False when the other end is gone. */
async function write(socket: Socket, data: Uint8Array, closed: Promise<true>): Promise<boolean> {
  for (let at = 0; at < data.length; at += pieceBytes) {
    const written = new Promise<boolean>((resolve) => {
      socket.write(data.subarray(at, at + pieceBytes), (error) => resolve(error == null));
    });
    if (!(await Promise.race([written, closed.then(() => false)]))) return false;
  }
  return true;
}
