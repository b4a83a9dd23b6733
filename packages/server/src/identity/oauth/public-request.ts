import type { IncomingMessage } from 'node:http';

type ForwardedRequest = IncomingMessage & { originalUrl?: string };

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
  forwarded.headers.cookie = withoutSession(request.headers.cookie ?? '');
  forwarded.originalUrl = `${pathname === '/' ? '' : pathname}${request.url}`;
  return forwarded;
}

/** Each sign-in of a program is decided by whoever sits before the browser then. */
const withoutSession = (cookies: string): string =>
  cookies
    .split(';')
    .filter((cookie) => !cookie.trim().startsWith(oauthCookies.session))
    .join(';');
