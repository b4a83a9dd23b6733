import type { IncomingMessage } from 'node:http';
import { endToEndHeaders } from '@sandgate/core';
import { credentialHeaderNames } from '../authorize/read-credential.ts';
import type { ClientRequest } from './client-request.ts';
import type { PortTarget } from './port-target.ts';

/** What the program is told of the client is said by this server alone. `expect` is answered here. */
const saidAnew: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'content-length',
  'expect',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
  'x-workspace-id',
]);

/** What a program could do with these, it would do to the whole origin. */
const ofOrigin: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'nel',
  'public-key-pins',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'strict-transport-security',
]);

/** Its pages get an origin that is nobody's: no cookies, no storage, no calls with a person's rights. */
const pagePolicy = 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts';

const ownAuthority = ({ port }: PortTarget): string => `localhost:${port}`;

/**
 * Headers for the program, names and values in turn. How long the body is has been read by Node's
 * parser, which refuses two answers to that, and is said anew.
 */
export function headersForProgram(client: ClientRequest, target: PortTarget): string[] {
  const { url, address, body, upgrade } = client;
  const withheld = new Set([...credentialHeaderNames, ...(target.withheld ?? [])]);
  const passed = endToEndHeaders(client.rawHeaders).filter(([name]) => {
    const lower = name.toLowerCase();
    return !saidAnew.has(lower) && !withheld.has(lower) && !(lower === 'cookie' && target.prefix);
  });
  return [
    ...['Host', ownAuthority(target)],
    ...passed.flat(),
    ...originFor(client, target),
    ...(address === '' ? [] : ['X-Forwarded-For', address]),
    ...['X-Forwarded-Host', url.host, 'X-Forwarded-Proto', url.protocol.slice(0, -1)],
    ...(target.prefix === '' ? [] : ['X-Forwarded-Prefix', target.prefix]),
    ...lengthOf(client.rawHeaders, body !== null, client.method),
    ...(upgrade === null
      ? ['Connection', 'close']
      : ['Connection', 'Upgrade', 'Upgrade', 'websocket']),
  ];
}

/** A page that the program itself has served is told as one of its own host. */
function originFor(client: ClientRequest, target: PortTarget): string[] {
  const origin = headerValue(client.rawHeaders, 'origin');
  if (origin === undefined) return [];
  const isOwn = URL.canParse(origin) && new URL(origin).host === client.url.host;
  return ['Origin', isOwn ? `http://${ownAuthority(target)}` : origin];
}

function lengthOf(rawHeaders: readonly string[], hasBody: boolean, method: string): string[] {
  const length = headerValue(rawHeaders, 'content-length');
  if (!hasBody) return ['GET', 'HEAD'].includes(method) ? [] : ['Content-Length', '0'];
  return length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', length];
}

/** What an answer of the program's may tell the client; a browser takes cookies of an upgrade, too. */
export const tellableHeaders = (answer: IncomingMessage, { prefix }: PortTarget) =>
  endToEndHeaders(answer.rawHeaders).filter(
    ([name]) => prefix === '' || !ofOrigin.has(name.toLowerCase()),
  );

/** Headers for the client, of an answer that is no upgrade. */
export function headersForClient(answer: IncomingMessage, target: PortTarget): Headers {
  const headers = new Headers();
  for (const [name, value] of tellableHeaders(answer, target)) {
    headers.append(name, name.toLowerCase() === 'location' ? locationFor(value, target) : value);
  }
  // Beside a policy of the program's own: both hold.
  if (target.prefix !== '') headers.append('Content-Security-Policy', pagePolicy);
  return headers;
}

/** Leads back through the proxy where it led to the program itself. */
function locationFor(location: string, { port, prefix }: PortTarget): string {
  const own = new RegExp(`^https?://(?:localhost|127\\.0\\.0\\.1|\\[::1\\]):${port}(?=/|$)`, 'i');
  if (own.test(location)) return prefix + (location.replace(own, '') || '/');
  return /^\/(?!\/)/.test(location) ? prefix + location : location;
}

function headerValue(rawHeaders: readonly string[], name: string): string | undefined {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : rawHeaders[at + 1];
}
