import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { requireKey, unanswered } from './call-server.ts';
import type { ServerDoor } from './find-server.ts';
import { refusalOf } from './refusal.ts';

/**
 * Resolves with a WebSocket that is open, and paused until somebody listens to it.
 * @throws Exit with what the server said, when it refused
 */
export async function openWebSocket(
  { url, key }: ServerDoor,
  headers: Readonly<Record<string, string>>,
): Promise<WebSocket> {
  const address = new URL(url);
  address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address, {
    headers: { ...headers, ...(key ? { authorization: `Bearer ${key}` } : {}) },
    perMessageDeflate: false,
  });
  return await new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.pause();
      resolve(socket);
    });
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      const refuse = async (): Promise<never> => {
        requireKey(response, key);
        throw await refusalOf(response);
      };
      refuse().catch(reject);
    });
    // Once it is open, what breaks it is told by its close.
    socket.on('error', (error) => reject(unanswered(url, error)));
  });
}
