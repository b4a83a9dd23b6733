import { once } from 'node:events';
import { connect } from 'node:net';

export interface BrimbleResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
  readonly body: ReturnType<typeof JSON.parse>;
  readonly data: ReturnType<typeof JSON.parse>;
}

/** Calls this door as Brimble's clients do, over a socket unless it is told how. */
export function createBrimbleClient(
  base: string,
  key: string | null,
  send: (url: string, init: RequestInit) => Response | Promise<Response> = fetch,
) {
  const headers = (more: Record<string, string> = {}) => ({
    ...(key === null ? {} : { 'x-brimble-key': key }),
    source: 'sdk-package',
    'source-version': '0.1.8',
    ...more,
  });
  return {
    headers,
    async call(
      method: string,
      path: string,
      body?: unknown,
      more: Record<string, string> = {},
    ): Promise<BrimbleResponse> {
      const response = await send(base + path, {
        method,
        headers: headers({
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...more,
        }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('application/json') ?? false;
      const parsed = isJson ? JSON.parse(text) : null;
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: parsed,
        data: parsed?.data,
      };
    },
  };
}

export type BrimbleClient = ReturnType<typeof createBrimbleClient>;

/** A request byte for byte, and the pieces in which its answer arrives. Ends with the connection. */
export async function sendRaw(
  address: string,
  lines: readonly string[],
  body: Buffer | string = '',
): Promise<{ readonly text: string; readonly pieces: readonly Buffer[] }> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => void pieces.push(piece));
  const head = [...lines, `host: ${hostname}:${port}`, 'connection: close', '', ''].join('\r\n');
  socket.write(Buffer.concat([Buffer.from(head), Buffer.from(body)]));
  await once(socket, 'close');
  return { text: Buffer.concat(pieces).toString('utf8'), pieces };
}

/** The events of a stream, with the moment at which each arrived, and the bytes of all of it. */
export async function readEvents(response: Response) {
  const decoder = new TextDecoder();
  const pieces: Uint8Array[] = [];
  let text = '';
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    text += decoder.decode(piece, { stream: true });
  }
  const blocks = text.split('\n\n').filter((block) => block !== '');
  const events = blocks
    .filter((block) => block.startsWith('data: '))
    .map((block): ReturnType<typeof JSON.parse> => JSON.parse(block.slice('data: '.length)));
  return { text, events, pieces, blocks };
}
