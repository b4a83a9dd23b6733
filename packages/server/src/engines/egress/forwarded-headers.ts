import type { IncomingMessage } from 'node:http';
import { endToEndHeaders } from '@sandgate/core';

/**
 * Headers of a request for the next hop, each followed by its value. How long the body is has been
 * read by Node's parser, which refuses two answers to that, and is said anew.
 */
export function forwardedRequestHeaders(request: IncomingMessage, host: string): string[] {
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers;
  const empty =
    request.method === 'GET' || request.method === 'HEAD' ? [] : ['content-length', '0'];
  return [
    ...['host', host],
    ...endToEndHeaders(request.rawHeaders)
      .filter(([name]) => !['host', 'expect'].includes(name.toLowerCase()))
      .flat(),
    ...(encoding !== undefined ? ['transfer-encoding', 'chunked'] : []),
    ...(encoding === undefined && length === undefined ? empty : []),
    ...['connection', 'close'],
  ];
}

/** One request a connection: whatever one side takes for a second one goes nowhere. */
export function forwardedResponseHeaders(response: IncomingMessage): string[] {
  return [...endToEndHeaders(response.rawHeaders).flat(), 'connection', 'close'];
}
