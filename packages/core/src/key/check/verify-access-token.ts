import type { SandgateError } from '../../error/sandgate-error.ts';
import type { AccessClaims } from '../../port/access-tokens.ts';
import { type Awaitable, whenKnown } from '../../port/awaitable.ts';
import { personKey } from '../../session/person-key.ts';
import { sessionLives } from '../../session/session.ts';
import type { Check, CheckStep } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

/** Every JSON Web Token begins with `{"` in base64url, and no key does. */
export const looksLikeAccessToken = (credential: string | null): boolean =>
  credential?.startsWith('eyJ') === true;

/**
 * Takes the place of the steps that find a key. The session and its user are looked up at each call,
 * so that a token outlives neither by a moment.
 */
export const verifyAccessToken: CheckStep = (check) => {
  const { accessTokens } = check.dependencies;
  return whenKnown(accessTokens?.verify(check.request.credential ?? '') ?? null, (claims) =>
    claims === null ? invalidCredential() : takeSession(check, claims),
  );
};

/** A session whose token has been verified, at whatever time. */
export function takeSession(
  check: Check,
  { sessionId, userId }: Pick<AccessClaims, 'sessionId' | 'userId'>,
): Awaitable<SandgateError | null> {
  const { storage, clock } = check.dependencies;
  return whenKnown(storage.sessions.findWithUser(sessionId), (found) => {
    if (found === null || found.user.id !== userId) return invalidCredential();
    const { session, user } = found;
    if (!user.enabled || !sessionLives(session, clock.nowMs())) return invalidCredential();
    check.key = personKey(user);
    check.owner = { user, role: null, sessionId: session.id };
    return null;
  });
}
