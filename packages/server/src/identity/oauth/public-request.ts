import type { IncomingMessage } from 'node:http';

type ForwardedRequest = IncomingMessage & { originalUrl?: string };

export const authorizationPath = '/oauth/authorize';
export const ownScope = 'mcp:call';

export const oauthCookies = {
  session: 'sandgate_oauth_session',
  interaction: 'sandgate_oauth',
  resume: 'sandgate_oauth_resume',
} as const;

/**
 * The same request as it would be at the address that the server is known by, whatever a client or a proxy
 * says of it: links and cookies are made of that.
 */
export function answeredAt(issuer: string, request: IncomingMessage): IncomingMessage {
  const { host, protocol, pathname } = new URL(issuer);
  const forwarded: ForwardedRequest = request;
  forwarded.headers.host = host;
  forwarded.headers['x-forwarded-host'] = host;
  forwarded.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  forwarded.url = withOwnScope(request.url ?? '');
  forwarded.headers.cookie = withoutSession(request.headers.cookie ?? '');
  forwarded.originalUrl = `${pathname === '/' ? '' : pathname}${request.url}`;
  return forwarded;
}

/** There is one scope here, and a client that asks for none or for others is given it all the same. */
function withOwnScope(target: string): string {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const parameters = new URLSearchParams(at < 0 ? '' : target.slice(at));
  if (path !== authorizationPath || parameters.getAll('scope').length > 1) return target;
  parameters.set('scope', ownScope);
  return `${path}?${parameters}`;
}

/** Each sign-in of a program is decided by whoever sits before the browser then. */
const withoutSession = (cookies: string): string =>
  cookies
    .split(';')
    .filter((cookie) => !cookie.trim().startsWith(oauthCookies.session))
    .join(';');
