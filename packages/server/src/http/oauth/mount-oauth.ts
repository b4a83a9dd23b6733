import { createFailureBudget, tooMany } from '@sandgate/core';
import { explainFailure } from '../explain-failure.ts';
import { nativeErrorResponse } from '../native/error-response.ts';
import { signInPath } from '../people/person-cookie.ts';
import { type App, answerTo, peerAddress, type RequestContext } from '../request-context.ts';
import type { OauthServices } from './oauth-services.ts';
import { showSignIn } from './show-sign-in.ts';
import type { SignInDependencies } from './sign-in-context.ts';
import {
  alreadyAnswered,
  nothingHere,
  type SocketExchange,
  socketExchange,
} from './socket-exchange.ts';
import { takeSignIn } from './take-sign-in.ts';

export interface OauthDependencies extends SignInDependencies {
  /** Null: this server signs no programs in. */
  readonly oauth: OauthServices | null;
}

const metadataPath = '/.well-known/oauth-authorization-server';

const protocolRoutes = [
  ['GET', metadataPath],
  ['OPTIONS', metadataPath],
  ['GET', '/oauth/jwks'],
  ['OPTIONS', '/oauth/jwks'],
  ['GET', '/oauth/authorize'],
  ['GET', '/oauth/authorize/:sign_in'],
  ['POST', '/oauth/token'],
  ['OPTIONS', '/oauth/token'],
  ['POST', '/oauth/register'],
  ['POST', '/oauth/revoke'],
  ['OPTIONS', '/oauth/revoke'],
] as const;

/** What leaves something in the store, whoever asks. */
const storing = /^\/oauth\/(?:authorize|register)$/;
const storedPerMinute = 60;

/** Where programs sign in (OAuth 2.1), and people let them. */
export function mountOauth(app: App, dependencies: OauthDependencies): void {
  const { oauth, log, clock } = dependencies;
  if (oauth === null) return;
  const budget = createFailureBudget(storedPerMinute);

  const charge = (context: RequestContext): void => {
    if (!storing.test(context.req.path)) return;
    const retryAfterMs = budget.charge(peerAddress(context), clock.nowMs());
    if (retryAfterMs > 0) throw tooMany('sign-ins from this address', 'address', retryAfterMs);
  };
  const answering =
    (answer: (context: RequestContext, exchange: SocketExchange) => Promise<Response>) =>
    async (context: RequestContext): Promise<Response> => {
      try {
        charge(context);
        return await answer(context, socketExchange(context, oauth));
      } catch (thrown) {
        return nativeErrorResponse(explainFailure(thrown, answerTo(context), log));
      }
    };

  for (const [method, path] of protocolRoutes) {
    app.on(
      method,
      path,
      answering(async (_, exchange) => {
        const { issuer, request, response } = exchange;
        await oauth.answer(issuer, request, response);
        return alreadyAnswered(response);
      }),
    );
  }
  // RFC 8414, 3.1: of an issuer with a path, the metadata is behind the well-known part.
  app.get(
    `${metadataPath}/*`,
    answering(async (context, { issuer, request, response }) => {
      const path = context.req.path.slice(metadataPath.length);
      if (path !== new URL(issuer).pathname) throw nothingHere();
      request.url = metadataPath;
      await oauth.answer(issuer, request, response);
      return alreadyAnswered(response);
    }),
  );
  app.options('/oauth/register', () => new Response(null, { status: 204, headers: openToPages }));
  const signIn = { ...dependencies, oauth };
  app.get(
    signInPath,
    answering((context, exchange) => showSignIn(signIn, context, exchange)),
  );
  app.post(
    signInPath,
    answering((context, exchange) => takeSignIn(signIn, context, exchange)),
  );
}

const openToPages = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'content-type',
  'Access-Control-Max-Age': '3600',
};
