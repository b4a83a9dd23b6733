import { logIn, SandgateError } from '@sandgate/core';
import { explainFailure } from '../explain-failure.ts';
import { nativeStatus } from '../native/error-response.ts';
import { pageHeaders } from '../native/presented-credential.ts';
import { requireOwnPage } from '../native/session/require-own-page.ts';
import { openSession } from '../people/open-session.ts';
import { personCookie, signInPath } from '../people/person-cookie.ts';
import { refuseStranger } from '../people/refuse-stranger.ts';
import { answerTo, type RequestContext } from '../request-context.ts';
import { letIn } from './let-in.ts';
import type { PendingSignIn } from './oauth-services.ts';
import { readForm } from './read-form.ts';
import { askPerson, nothingWaits } from './show-sign-in.ts';
import { peopleContext, personAtPage, type SignInServices } from './sign-in-context.ts';
import { alreadyAnswered, type SocketExchange } from './socket-exchange.ts';

/** What somebody answers on the page: who they are, that they let the program in, or that they refuse it. */
export async function takeSignIn(
  services: SignInServices,
  context: RequestContext,
  exchange: SocketExchange,
): Promise<Response> {
  requireOwnPage(pageHeaders(context), services.signOn.publicUrl);
  const { oauth } = services;
  const { issuer, request, response } = exchange;
  const form = await readForm(context);
  const pending = await oauth.pending(issuer, request, response);
  // The form of one tab must not decide about what was begun in another since.
  if (pending === null || pending.id !== form.get('sign_in')) return await nothingWaits(services);
  try {
    switch (form.get('action')) {
      case 'log_in':
        return await takeLogin(services, context, form);
      case 'deny': {
        const isDone = await oauth.deny(issuer, request, response);
        return isDone ? alreadyAnswered(response) : await nothingWaits(services);
      }
      case 'allow': {
        const isDone = await letIn(services, context, { exchange, pending, form });
        return isDone ? alreadyAnswered(response) : await nothingWaits(services);
      }
      default:
        throw new SandgateError('invalid_request', 'action: must be log_in, allow or deny');
    }
  } catch (thrown) {
    return await askAgain(services, context, pending, thrown);
  }
}

/** Says on the page what was wrong. */
async function askAgain(
  services: SignInServices,
  context: RequestContext,
  pending: PendingSignIn,
  thrown: unknown,
): Promise<Response> {
  const error = explainFailure(thrown, answerTo(context), services.log);
  const problem = { status: nativeStatus(error), message: error.message };
  return await askPerson(services, pending, await personAtPage(services, context), problem);
}

async function takeLogin(
  services: SignInServices,
  context: RequestContext,
  form: URLSearchParams,
): Promise<Response> {
  const known = peopleContext(services, context);
  const { address, verifyCaptcha } = known;
  const user = await refuseStranger(known, signInPath, () =>
    logIn(known, {
      email: form.get('email') ?? '',
      password: form.get('password') ?? '',
      address,
      proveHuman: async () => await verifyCaptcha?.(undefined, address),
    }),
  );
  const { accessToken, accessMs } = await openSession(known, user, { by: 'password' });
  const maxAgeSeconds = Math.floor(accessMs / 1_000);
  return new Response(null, {
    status: 303,
    headers: {
      Location: 'sign-in',
      'Set-Cookie': personCookie(services.signOn, context.req.url, accessToken, maxAgeSeconds),
      'Cache-Control': 'no-store',
    },
  });
}
