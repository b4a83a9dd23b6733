import { SandgateError } from '@sandgate/core';
import { type CredentialHeader, readCredential } from '../authorize/read-credential.ts';
import { headerValues, type RequestContext } from '../request-context.ts';
import type { NativeServices, Route } from './route.ts';
import { ticketProtocol } from './terminal/terminal-protocol.ts';

export const acceptedHeaders: readonly CredentialHeader[] = ['x-api-key', 'authorization'];

/** Who a request says that it comes from. */
export interface Presented {
  readonly credential: string | null;
  /** What a ticket bounds the call to; null where the credential came by itself. */
  readonly ticket: { readonly workspace: string; readonly sandboxId: string } | null;
}

/** @throws SandgateError `credential_ambiguous` */
export function presentedCredential(
  route: Pick<Route, 'takesTickets'>,
  context: RequestContext,
  { tickets }: Pick<NativeServices, 'tickets'>,
): Presented {
  const credential = readCredential(headerValues(context), acceptedHeaders);
  const text = route.takesTickets === true ? offeredTicket(context) : null;
  if (text === null) return { credential, ticket: null };
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
