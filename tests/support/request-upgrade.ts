import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../../packages/server/src/http/listen.ts';
import type { App } from '../../packages/server/src/http/request-context.ts';

/** Asks for a WebSocket and leaves as soon as it is one. */
export async function requestUpgrade(
  app: App,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const listener = await listen(app, { host: '127.0.0.1', port: 0, tls: null });
  const call = request(`${listener.address}${path}`, {
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16, 'key').toString('base64'),
    },
  });
  const answered = new Promise<Response>((resolve, reject) => {
    call.once('error', reject);
    call.once('upgrade', (_, socket) => {
      socket.destroy();
      // 101 is no status of a web-standard response.
      resolve(Object.defineProperty(new Response(''), 'status', { value: 101 }));
    });
    call.once('response', (response: IncomingMessage) => {
      const { statusCode: status = 0, rawHeaders } = response;
      const pairs = rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as [string, string]] : [],
      );
      text(response).then(
        (body) => resolve(new Response(body, { status, headers: pairs })),
        reject,
      );
    });
  });
  call.end();
  return await answered.finally(() => listener.close(0));
}
