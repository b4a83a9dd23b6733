import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';

export interface DoorAnswer {
  readonly status: number;
  readonly text: string;
  // Answers have many shapes; a wrong guess fails whoever makes it.
  readonly body: ReturnType<typeof JSON.parse>;
}

/** A client of several doors of one server, over connections of its own. */
export interface DoorClient {
  /** Brimble's door. A string is sent as it is, anything else as JSON. */
  brimble(method: string, path: string, body?: unknown): Promise<DoorAnswer>;
  /** Sandgate's own. */
  native(method: string, path: string, body?: unknown): Promise<DoorAnswer>;
  /** Begins a call and goes away after the first byte of its answer, or when the time is over. */
  abandon(path: string, body: unknown, afterMs: number): Promise<void>;
  rpc(method: string, params: Readonly<Record<string, unknown>>): Promise<DoorAnswer>;
  close(): void;
}

/**
 * Well before the 5 seconds after which the server closes what is idle: a call that leaves while the
 * connection is being closed is lost, and no client can tell what became of it.
 */
const keptForMs = 3_000;

export function createDoorClient(address: string, key: string): DoorClient {
  const agent = new Agent({ keepAlive: true, timeout: keptForMs });
  /** When a connection last carried something of a call. */
  const usedAtMs = new WeakMap<Socket, number>();
  const send = (
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ) => {
    const payload =
      body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const type =
      typeof body === 'string' ? 'application/octet-stream' : 'application/json; charset=utf-8';
    const call = request(`${address}${path}`, {
      agent,
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': type }),
        'content-length': Buffer.byteLength(payload),
      },
    });
    call.end(payload);
    return call;
  };
  const answerOf = (call: ReturnType<typeof send>): Promise<DoorAnswer> =>
    new Promise((resolve, reject) => {
      const sentMs = performance.now();
      let keptMs = 0;
      let port = 0;
      call.once('socket', (socket) => {
        // Of an answer that is read it is known no more.
        call.once('close', () => usedAtMs.set(socket, performance.now()));
        keptMs = performance.now() - (usedAtMs.get(socket) ?? 0);
        port = socket.localPort ?? 0;
      });
      call.once('error', (cause) => {
        const afterMs = Math.round(performance.now() - sentMs);
        const connection = call.reusedSocket
          ? `port ${port}, which was kept for ${Math.round(keptMs)} ms`
          : `port ${port}, which was new`;
        const told = `${call.method} ${call.path} on ${connection}, after ${afterMs} ms`;
        reject(new Error(`${told}: ${cause.message}`, { cause }));
      });
      call.once('response', (response) => {
        textOf(response).then((text) => {
          const isJson = response.headers['content-type']?.startsWith('application/json') === true;
          const parsed = isJson && text !== '' ? JSON.parse(text) : null;
          resolve({ status: response.statusCode ?? 0, text, body: parsed });
        }, reject);
      });
    });
  const brimbleHeaders = { 'x-brimble-key': key };
  const authorization = { authorization: `Bearer ${key}` };
  return {
    brimble: (method, path, body) =>
      answerOf(send(method, `/brimble${path}`, body, brimbleHeaders)),
    native: (method, path, body) => answerOf(send(method, `/api/v1${path}`, body, authorization)),
    abandon: (path, body, afterMs) =>
      new Promise((resolve) => {
        const call = send('POST', `/brimble${path}`, body, brimbleHeaders);
        const leave = (): void => {
          clearTimeout(timer);
          call.destroy();
          resolve();
        };
        const timer = setTimeout(leave, afterMs);
        call.once('error', leave);
        call.once('response', (response) => {
          response.once('error', leave);
          response.once('data', leave);
        });
      }),
    rpc: (method, params) =>
      answerOf(
        send('POST', '/api/v1/rpc', { jsonrpc: '2.0', id: 1, method, params }, authorization),
      ),
    close: () => agent.destroy(),
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
