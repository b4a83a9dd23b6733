import type { IncomingMessage } from 'node:http';
import { failure, notRunning } from './exit.ts';
import type { ServerDoor } from './find-server.ts';
import { type HttpCall, openHttp } from './http-call.ts';

/**
 * A call of a server with the user's key, up to the headers of its answer. When there is none, the
 * user is told what to do.
 * @throws Exit
 */
export async function callServer(
  { url, key }: ServerDoor,
  { headers, ...call }: Omit<HttpCall, 'url'>,
): Promise<IncomingMessage> {
  const authorization: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const response = await openHttp({
    ...call,
    url,
    headers: { ...headers, ...authorization },
  }).catch((error: unknown) => {
    throw unanswered(url, error);
  });
  requireKey(response, key);
  return response;
}

/** @throws Exit when the server wants a key, and there is none */
export function requireKey(response: IncomingMessage, key: string | undefined): void {
  if (response.statusCode !== 401 || key) return;
  response.destroy();
  throw failure('This server wants an API key. Set MSB_API_KEY, here or in the file .env');
}

/** What to say of a call that got no answer, or not all of it. */
export function unanswered(url: URL, error: unknown): Error {
  if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') {
    return notRunning(`No server answers at ${url.origin}. Start one with: msb server start`);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return failure(`Calling ${url.origin} failed: ${reason}`, error);
}
