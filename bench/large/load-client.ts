import { connect, type Socket } from 'node:net';

/** What clients in a loop have seen. */
export interface LoadResult {
  readonly calls: number;
  /** Answers of another status than the one that was expected. */
  readonly unexpected: number;
  readonly elapsedMs: number;
  readonly slowestMs: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly expectedStatus: number;
  /** The key of the next call; null when there is none, which ends the load. */
  readonly nextKey: () => string | null;
}

const endOfHead = Buffer.from('\r\n\r\n');
const statusAt = 'HTTP/1.1 '.length;

/**
 * GET requests over kept connections, each sent when the answer before it is there. Written on bare
 * sockets, for answers without a body: a client must cost much less than the server it measures.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { port, connections } = options;
  const seen = { calls: 0, unexpected: 0, slowestMs: 0 };
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port)));
  const startedMs = performance.now();
  await Promise.all(sockets.map((socket) => callUntilOver(socket, options, seen)));
  return { ...seen, elapsedMs: performance.now() - startedMs };
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function callUntilOver(
  socket: Socket,
  { path, expectedStatus, nextKey }: LoadOptions,
  seen: { calls: number; unexpected: number; slowestMs: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentMs = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      const key = nextKey();
      if (key === null) {
        socket.end(resolve);
        return;
      }
      sentMs = performance.now();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${key}\r\n\r\n`);
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The server closed a connection under load.')));
    socket.on('data', (data) => {
      received = received.length === 0 ? data : Buffer.concat([received, data]);
      const end = received.indexOf(endOfHead);
      if (end < 0) return;
      if (end + endOfHead.length < received.length) {
        // A refusal has a body: this client only counts it.
        seen.unexpected += 1;
      } else if (received.toString('latin1', statusAt, statusAt + 3) !== String(expectedStatus)) {
        seen.unexpected += 1;
      }
      received = Buffer.alloc(0);
      seen.calls += 1;
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - sentMs);
      send();
    });
    send();
  });
}
