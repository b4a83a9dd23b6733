import { audited, SandgateError, sessionLives, signIn, type User } from '@sandgate/core';
import { z } from 'zod';
import { exchangeCode, signInRefused } from '../../../people/exchange-code.ts';
import { openSession } from '../../../people/open-session.ts';
import { personCookie } from '../../../people/person-cookie.ts';
import { refuseStranger } from '../../../people/refuse-stranger.ts';
import { tokenAnswer } from '../auth/token-answer.ts';
import { defineModboxDoor, type ModboxContext } from '../modbox-route.ts';
import {
  callbackUrl,
  codeCookie,
  endedAttemptCookie,
  readAttemptCookie,
} from './attempt-cookie.ts';
import { requireProvider } from './begin-sign-in.ts';

const endpoint = '/auth/sso/{provider}/callback';

export const endSignInRoute = defineModboxDoor({
  method: 'get',
  path: endpoint,
  async run(_, context) {
    const { signOn, cookies } = context;
    const sealed = readAttemptCookie(cookies);
    const attempt = signOn.attempts.open(sealed, context.params.provider ?? '');
    try {
      const begun = await refuseStranger(context, endpoint, async () => {
        if (attempt === null) throw signInRefused();
        return { attempt, user: await whoSignsIn(context, attempt) };
      });
      return await hand(context, begun);
    } catch (error) {
      if (attempt === null || attempt.answer === 'page') throw error;
      if (!(error instanceof SandgateError)) throw error;
      // The browser has begun this sign-in, and somebody sits before it.
      const { code, message } = error;
      return back(signOn, attempt, { error: code, error_description: message });
    }
  },
});

const back = (
  signOn: ModboxContext['signOn'],
  { returnTo }: Attempt,
  fragment: Readonly<Record<string, string>> | null,
): Response => {
  const headers = new Headers({
    Location: fragment === null ? returnTo : `${returnTo}#${new URLSearchParams(fragment)}`,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
  });
  headers.append('Set-Cookie', endedAttemptCookie(signOn));
  // A page of this server may take it up in this browser, and in no other.
  if (fragment?.code !== undefined) headers.append('Set-Cookie', codeCookie(signOn, fragment.code));
  return new Response(null, { status: 303, headers });
};

type Attempt = NonNullable<ReturnType<ModboxContext['signOn']['attempts']['open']>>;

async function whoSignsIn(context: ModboxContext, attempt: Attempt): Promise<User> {
  const { signOn, query, auditLog, address, requestId } = context;
  const linkTo = await sessionUser(context, attempt.linkSessionId);
  const callback = new URL(callbackUrl(signOn, attempt.provider));
  callback.search = query.toString();
  const identity = await requireProvider(context).identify(attempt, callback);
  const record = {
    action: 'identity.sign_in',
    actor: linkTo === null ? ({ kind: 'stranger' } as const) : callerOf(linkTo),
    address,
    requestId,
    details: { provider: attempt.provider },
  };
  return await audited(auditLog, record, (change) =>
    signIn(
      { ...context, change },
      { provider: attempt.provider, identity, linkTo, allowSignUp: signOn.allowSignUp },
    ),
  );
}

const callerOf = ({ number }: User) => ({ kind: 'user', userNumber: number }) as const;

/** Whoever logged out meanwhile links nothing. */
async function sessionUser(
  { storage, clock }: ModboxContext,
  id: string | null,
): Promise<User | null> {
  if (id === null) return null;
  const found = await storage.sessions.findWithUser(id);
  if (found === null || !sessionLives(found.session, clock.nowMs())) throw signInRefused();
  return found.user;
}

/**
 * Hands a new session to the browser: in the fragment its tokens, or a code that stands for them; to the page
 * of this server where programs are let in, a cookie.
 */
async function hand(
  context: ModboxContext,
  { attempt, user }: { readonly attempt: Attempt; readonly user: User },
): Promise<Response> {
  const { signOn } = context;
  const session = await openSession(context, user, { by: attempt.provider });
  if (attempt.answer === 'code') {
    return back(signOn, attempt, { code: signOn.codes.issue(session) });
  }
  const { tokens } = tokenAnswer(session);
  if (attempt.answer === 'page') {
    const answer = back(signOn, attempt, null);
    const cookie = personCookie(signOn, '', session.accessToken, tokens.expires_in);
    answer.headers.append('Set-Cookie', cookie);
    return answer;
  }
  const texts = Object.entries(tokens).map(([name, value]) => [name, String(value)]);
  return back(signOn, attempt, Object.fromEntries(texts));
}

export const exchangeCodeRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/sso/exchange',
  body: z.object({ code: z.string().max(200) }),
  async run({ code }, context) {
    const { tokens } = await exchangeCode(context, '/auth/sso/exchange', code);
    return tokenAnswer(tokens);
  },
});
