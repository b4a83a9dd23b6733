import { audited, SandgateError, signIn, type User } from '@sandgate/core';
import { z } from 'zod';
import { refuseStranger } from '../auth/refuse-stranger.ts';
import { openSession, tokenAnswer } from '../auth/token-answer.ts';
import { defineModboxDoor, type ModboxContext } from '../modbox-route.ts';
import { callbackUrl, endedAttemptCookie, readAttemptCookie } from './attempt-cookie.ts';
import { requireProvider } from './begin-sign-in.ts';

const endpoint = '/auth/sso/{provider}/callback';

export const endSignInRoute = defineModboxDoor({
  method: 'get',
  path: endpoint,
  async run(_, context) {
    const { signOn, cookies } = context;
    const { attempt, user } = await refuseStranger(context, endpoint, async () => {
      const sealed = readAttemptCookie(cookies);
      const attempt = signOn.attempts.open(sealed, context.params.provider ?? '');
      if (attempt === null) throw refused();
      return { attempt, user: await whoSignsIn(context, attempt) };
    });
    const fragment =
      attempt.answer === 'code'
        ? { code: signOn.codes.issue(user.id) }
        : await tokenFields(context, user, attempt.provider);
    return new Response(null, {
      status: 303,
      headers: {
        Location: `${attempt.returnTo}#${new URLSearchParams(fragment)}`,
        'Set-Cookie': endedAttemptCookie(signOn),
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
      },
    });
  },
});

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
async function sessionUser({ storage }: ModboxContext, id: string | null): Promise<User | null> {
  if (id === null) return null;
  const found = await storage.sessions.findWithUser(id);
  if (found === null) throw refused();
  return found.user;
}

async function tokenFields(
  context: ModboxContext,
  user: User,
  provider: string,
): Promise<Record<string, string>> {
  const { tokens } = tokenAnswer(await openSession(context, user, { by: provider }));
  return Object.fromEntries(Object.entries(tokens).map(([name, value]) => [name, String(value)]));
}

export const exchangeCodeRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/sso/exchange',
  body: z.object({ code: z.string().max(200) }),
  async run({ code }, context) {
    const user = await refuseStranger(context, '/auth/sso/exchange', async () => {
      const userId = context.signOn.codes.redeem(code);
      const found = userId === null ? null : await context.storage.users.findById(userId);
      if (found === null || !found.enabled) throw refused();
      return found;
    });
    return tokenAnswer(await openSession(context, user, { by: 'code' }));
  },
});

const refused = (): SandgateError =>
  new SandgateError(
    'sign_in_failed',
    'The sign-in was not completed, or cannot be trusted. Begin again',
  );
