import { once } from 'node:events';
import type { ServerProcess } from './server-process.ts';

/** Starts a server so that `collectedHeapMegabytes` can ask it. The system chooses the port. */
export const withInspector: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --inspect=127.0.0.1:0`.trim(),
};

/**
 * What a server holds after a full collection: objects, and what belongs to buffers, in megabytes
 * (10^6 bytes). Between two collections a heap on a large machine grows to several times of that.
 */
export async function collectedHeapMegabytes(server: ServerProcess): Promise<number> {
  const address = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
  if (address === undefined) throw new Error(`There is no inspector:\n${server.output()}`);
  const socket = new WebSocket(address);
  try {
    await once(socket, 'open');
    // It lets go of weak references, and of what is finalized, in several collections.
    await ask(socket, 'HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = await ask(socket, 'Runtime.getHeapUsage');
    return ((usedSize ?? Number.NaN) + (backingStorageSize ?? Number.NaN)) / 1e6;
  } finally {
    socket.close();
  }
}

/** One call of the Chrome DevTools protocol. */
async function ask(socket: WebSocket, method: string): Promise<Readonly<Record<string, number>>> {
  const answered = once(socket, 'message');
  socket.send(JSON.stringify({ id: 1, method }));
  const [{ data }] = await answered;
  return JSON.parse(data).result;
}
