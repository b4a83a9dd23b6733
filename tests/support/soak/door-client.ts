import { Agent, type IncomingMessage, request } from 'node:http';

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

export function createDoorClient(address: string, key: string): DoorClient {
  const agent = new Agent({ keepAlive: true });
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
      call.once('error', (cause) => {
        const afterMs = Math.round(performance.now() - sentMs);
        const connection = call.reusedSocket ? 'a connection that was kept' : 'a new connection';
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
