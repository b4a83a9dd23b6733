import { SandgateError } from '@sandgate/core';
import { readSessionCookie } from '../../people/session-cookies.ts';
import { ownOrigin } from '../../request-origin.ts';

/** What a request says of the page that sent it. */
export interface PageHeaders {
  readonly url: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site` */
  readonly site: string | undefined;
  /** `X-CSRF-Token` */
  readonly csrfToken: string | undefined;
  readonly cookies: string;
}

/**
 * A browser says where a page comes from, and sends cookies whoever asks: so what a page does to a
 * session must come from a page of this server. A program says nothing, and has no cookies of others.
 * @throws SandgateError `origin_refused`
 */
export function requireOwnPage(
  { url, host, origin, site }: Omit<PageHeaders, 'csrfToken' | 'cookies'>,
  publicUrl: string,
): void {
  const own = [
    ...(host === undefined ? [] : [ownOrigin(url, host)]),
    ...(publicUrl === '' ? [] : [new URL(publicUrl).origin]),
  ];
  const isOwn = origin === undefined || own.includes(origin);
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new SandgateError(
    'origin_refused',
    'Web pages of other origins may not use the session of a browser. Behind a proxy, set identity.publicUrl',
  );
}

/**
 * The same for a call that has nothing but cookies to show. What the page has to send besides can be
 * read, and be put into a header, by pages of this origin alone.
 * @throws SandgateError `origin_refused`
 */
export function requireCsrfToken(page: PageHeaders, publicUrl: string): void {
  requireOwnPage(page, publicUrl);
  const expected = readSessionCookie(page.cookies, 'csrf');
  if (expected !== null && page.csrfToken === expected) return;
  throw new SandgateError(
    'origin_refused',
    'A session of cookies changes nothing without the value of the cookie sandgate_csrf in the header X-CSRF-Token',
  );
}
