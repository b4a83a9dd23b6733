import { SandgateError, type SessionTokens } from '@sandgate/core';
import { cookieValues } from '../read-cookie.ts';

/** What a browser keeps of a session. No script of a page reads the first two. */
export const sessionCookies = {
  access: 'sandgate_access',
  refresh: 'sandgate_refresh',
  /** For the page to read, and to send back as `X-CSRF-Token`. */
  csrf: 'sandgate_csrf',
  /** Binds the code of a sign-on to the browser that signed on. */
  code: 'sandgate_code',
} as const;

type CookieName = keyof typeof sessionCookies;

/** Where each is sent: nothing but this door ever sees a secret, and the refresh token just its calls. */
const attributes: Readonly<Record<CookieName, string>> = {
  access: 'Path=/api/v1; HttpOnly',
  refresh: 'Path=/api/v1/session; HttpOnly',
  csrf: 'Path=/',
  code: 'Path=/api/v1/session; HttpOnly',
};

export interface CookieOrigin {
  /** The cookies are for encrypted connections alone. */
  readonly secure: boolean;
}

export const setCookie = (
  name: CookieName,
  value: string,
  maxAgeSeconds: number,
  { secure }: CookieOrigin,
): string =>
  `${sessionCookies[name]}=${value}; Max-Age=${maxAgeSeconds}; ${attributes[name]}; SameSite=Strict${secure ? '; Secure' : ''}`;

export const cookiesOfSession = (
  tokens: SessionTokens,
  csrfToken: string,
  origin: CookieOrigin,
): readonly string[] => {
  const accessSeconds = Math.floor(tokens.accessMs / 1_000);
  const refreshSeconds = Math.floor(tokens.refreshMs / 1_000);
  return [
    setCookie('access', tokens.accessToken, accessSeconds, origin),
    setCookie('refresh', tokens.refreshToken, refreshSeconds, origin),
    setCookie('csrf', csrfToken, refreshSeconds, origin),
    setCookie('code', '', 0, origin),
  ];
};

export const cookiesOfNobody = (origin: CookieOrigin): readonly string[] =>
  (['access', 'refresh', 'csrf', 'code'] as const).map((name) => setCookie(name, '', 0, origin));

/**
 * The value of a cookie; null when there is none.
 * @throws SandgateError `credential_ambiguous` for two, of which one is not this server's
 */
export function readSessionCookie(header: string, name: CookieName): string | null {
  const [value, ...others] = new Set(cookieValues(header, sessionCookies[name]));
  if (others.length > 0) {
    throw new SandgateError(
      'credential_ambiguous',
      `The request carries more than one cookie ${sessionCookies[name]}`,
    );
  }
  return value === undefined || value === '' ? null : value;
}
