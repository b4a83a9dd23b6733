import type { IncomingMessage } from 'node:http';

/** They concern one connection and are not passed on (RFC 9110, 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

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
    ...endToEnd(request)
      .filter(([name]) => !['host', 'expect'].includes(name.toLowerCase()))
      .flat(),
    ...(encoding !== undefined ? ['transfer-encoding', 'chunked'] : []),
    ...(encoding === undefined && length === undefined ? empty : []),
    ...['connection', 'close'],
  ];
}

/** One request a connection: whatever one side takes for a second one goes nowhere. */
export function forwardedResponseHeaders(response: IncomingMessage): string[] {
  return [...endToEnd(response).flat(), 'connection', 'close'];
}

function endToEnd({ rawHeaders, headers }: IncomingMessage): [string, string][] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !named.includes(lower)) pairs.push([name, value]);
  }
  return pairs;
}
