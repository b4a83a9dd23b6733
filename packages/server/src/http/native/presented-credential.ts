import { looksLikeAccessToken, SandgateError } from '@sandgate/core';
import { type CredentialHeader, readCredential } from '../authorize/read-credential.ts';
import { readSessionCookie } from '../people/session-cookies.ts';
import { headerValues, type RequestContext } from '../request-context.ts';
import type { NativeServices, Route } from './route.ts';
import { type PageHeaders, requireCsrfToken } from './session/require-own-page.ts';
import { ticketProtocol } from './terminal/terminal-protocol.ts';

export const acceptedHeaders: readonly CredentialHeader[] = ['x-api-key', 'authorization'];

/** Who a request says that it comes from. */
export interface Presented {
  readonly credential: string | null;
  /** What a ticket bounds the call to; null where the credential came by itself. */
  readonly ticket: { readonly workspace: string; readonly sandboxId: string } | null;
}

type CredentialRoute = Pick<Route, 'takesTickets' | 'forwards' | 'method'>;

/**
 * A WebSocket is opened by any page that likes to, and what is behind a port is shown by no page of
 * ours: there a browser's cookies count for nothing.
 */
const takesCookie = ({ takesTickets, forwards }: CredentialRoute): boolean =>
  takesTickets !== true && forwards !== true;

/** @throws SandgateError `credential_ambiguous`, `origin_refused` */
export function presentedCredential(
  route: CredentialRoute,
  context: RequestContext,
  { tickets, signOn }: Pick<NativeServices, 'tickets' | 'signOn'>,
): Presented {
  const credential = readCredential(headerValues(context), acceptedHeaders);
  const text = route.takesTickets === true ? offeredTicket(context) : null;
  if (text === null) {
    const withCookie = takesCookie(route)
      ? orCookie(credential, route, pageHeaders(context), signOn.publicUrl)
      : credential;
    return { credential: withCookie, ticket: null };
  }
  if (credential !== null) {
    throw new SandgateError(
      'credential_ambiguous',
      'The request carries an API key and a ticket. Send one of them',
    );
  }
  // One that is not good is refused as a key would be that is none.
  return redeemed(tickets.redeem(text), text);
}

const redeemed = (
  right: ReturnType<NativeServices['tickets']['redeem']>,
  text: string,
): Presented =>
  right === null
    ? { credential: text, ticket: null }
    : { credential: right.credential, ticket: right };

/** Among the protocols that a client offers (RFC 6455, 11.3.4): an address would be in logs on the way. */
function offeredTicket(context: RequestContext): string | null {
  const offered = context.req.header('sec-websocket-protocol') ?? '';
  const names = offered.split(',').map((name) => name.trim());
  const found = names.find((name) => name.startsWith(ticketProtocol));
  return found === undefined ? null : found.slice(ticketProtocol.length);
}

/**
 * The access token of a browser's session, where the request shows nothing else. Never a key, which no
 * cookie of ours holds.
 */
function orCookie(
  credential: string | null,
  { method }: CredentialRoute,
  page: PageHeaders,
  publicUrl: string,
): string | null {
  const cookie = readSessionCookie(page.cookies, 'access');
  if (cookie === null || cookie === credential) return credential;
  if (credential !== null) {
    throw new SandgateError(
      'credential_ambiguous',
      'The request carries an API key or token, and the session of a browser. Send one of them',
    );
  }
  if (method !== 'get') requireCsrfToken(page, publicUrl);
  return looksLikeAccessToken(cookie) ? cookie : 'no access token';
}

export const pageHeaders = (context: RequestContext): PageHeaders => ({
  url: context.req.url,
  host: context.req.header('host'),
  origin: context.req.header('origin'),
  site: context.req.header('sec-fetch-site'),
  csrfToken: context.req.header('x-csrf-token'),
  cookies: context.req.header('cookie') ?? '',
});
