import type { IncomingMessage, ServerResponse } from 'node:http';
import { SandgateError } from '@sandgate/core';
import type { RequestContext } from '../request-context.ts';
import type { OauthServices } from './oauth-services.ts';

/** Node's own form of a request, and where it came to. */
export interface SocketExchange {
  readonly issuer: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** @throws SandgateError `not_found` where no programs are signed in */
export function socketExchange(context: RequestContext, oauth: OauthServices): SocketExchange {
  const issuer = oauth.issuerOf(context.req.url);
  const { incoming, outgoing } = context.env ?? {};
  if (issuer === null || incoming === undefined || outgoing === undefined) throw nothingHere();
  if (context.req.path === '/oauth/register') {
    outgoing.setHeader('Access-Control-Allow-Origin', '*');
  }
  return {
    issuer,
    request: incoming as IncomingMessage,
    response: outgoing as ServerResponse,
  };
}

export const nothingHere = (): SandgateError =>
  new SandgateError(
    'not_found',
    'No programs are signed in at this address. The operator says how this server is reached: identity.publicUrl',
  );

/** Tells the adapter that Node's response has been written to. */
export const alreadyAnswered = ({ statusCode }: ServerResponse): Response =>
  // The copy is one of Node's own: of the adapter's, it writes status and headers unseen.
  new Response(null, {
    status: statusCode,
    headers: { 'x-hono-already-sent': 'true' },
  }).clone();
