import type { SandgateError } from '../../error/sandgate-error.ts';
import type { GrantClaims, SessionClaims } from '../../port/access-tokens.ts';
import { type Awaitable, whenKnown } from '../../port/awaitable.ts';
import { personKey } from '../../session/person-key.ts';
import { sessionLives } from '../../session/session.ts';
import { grantKeyText } from '../grant-key-text.ts';
import { parseKeyText } from '../key-text.ts';
import type { Check, CheckStep } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

/** Every JSON Web Token begins with `{"` in base64url, and no key does. */
export const looksLikeAccessToken = (credential: string | null): boolean =>
  credential?.startsWith('eyJ') === true;

/**
 * Takes the place of reading a key's text. The session and its user, or the key of the grant, are looked up at
 * each call, so that a token outlives none of them by a moment.
 */
export const verifyAccessToken: CheckStep = (check) => {
  const { accessTokens } = check.dependencies;
  return whenKnown(accessTokens?.verify(check.request.credential ?? '') ?? null, (claims) =>
    claims === null
      ? invalidCredential()
      : claims.kind === 'session'
        ? takeSession(check, claims)
        : takeGrant(check, claims),
  );
};

/** A token for one resource opens no other one, and none of the other doors (RFC 8707, 2.2). */
function takeGrant(check: Check, { resource, grantId }: GrantClaims): SandgateError | null {
  if (check.request.resource !== resource) return invalidCredential();
  showGrant(check, grantId);
  return null;
}

/** From here on the key of the grant is looked up as if its text had been shown. */
export function showGrant(check: Check, grantId: string): void {
  check.grantId = grantId;
  check.parsed = parseKeyText(grantKeyText(check.dependencies.serverKey(), grantId));
}

/** A session whose token has been verified, at whatever time. */
export function takeSession(
  check: Check,
  { sessionId, userId }: Pick<SessionClaims, 'sessionId' | 'userId'>,
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
