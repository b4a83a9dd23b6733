import { SandgateError, type SessionTokens, sessionLives, type User } from '@sandgate/core';
import type { PeopleContext } from './people-context.ts';
import { refuseStranger } from './refuse-stranger.ts';

/** The session that a one-time code of a sign-on stands for. @throws SandgateError `sign_in_failed` */
export async function exchangeCode(
  context: PeopleContext,
  endpoint: string,
  code: string,
): Promise<{ readonly user: User; readonly tokens: SessionTokens }> {
  const { clock, signOn, storage } = context;
  return await refuseStranger(context, endpoint, async () => {
    const tokens = signOn.codes.redeem(code);
    // Whatever ended the person's sessions since has ended this one, too.
    const id = tokens?.session.id;
    const found = id === undefined ? null : await storage.sessions.findWithUser(id);
    const nowMs = clock.nowMs();
    if (tokens === null || found === null || !sessionLives(found.session, nowMs)) {
      throw signInRefused();
    }
    const ageMs = nowMs - found.session.createdAtMs;
    const { accessMs, refreshMs } = tokens;
    const left = { accessMs: accessMs - ageMs, refreshMs: refreshMs - ageMs };
    return { user: found.user, tokens: { ...tokens, ...left } };
  });
}

export const signInRefused = (): SandgateError =>
  new SandgateError(
    'sign_in_failed',
    'The sign-in was not completed, or cannot be trusted. Begin again',
  );
