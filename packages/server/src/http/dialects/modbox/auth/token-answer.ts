import { type AuditActor, type SessionTokens, startSession, type User } from '@sandgate/core';
import type { ModboxContext } from '../modbox-route.ts';

/** Tokens as documented, with `token_type` beside, which OAuth clients look for. */
export const tokenAnswer = (tokens: SessionTokens) => ({
  success: true,
  tokens: {
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    expires_in: Math.floor(tokens.accessMs / 1_000),
    refresh_expires_in: Math.floor(tokens.refreshMs / 1_000),
    token_type: 'Bearer',
  },
});

/** Lets a person in, and records it. */
export async function openSession(
  context: ModboxContext,
  user: User,
  details: Readonly<Record<string, string>>,
): Promise<SessionTokens> {
  const tokens = await startSession(context, user, context);
  await recordSession(context, 'session.start', user, { ...details, session: tokens.session.id });
  return tokens;
}

/** `actor` is the person, unless somebody else did it to them. */
export async function recordSession(
  { auditLog, address, requestId }: ModboxContext,
  action: 'session.start' | 'session.end' | 'session.reuse',
  user: Pick<User, 'number'>,
  details: Readonly<Record<string, string>>,
  actor: AuditActor = { kind: 'user', userNumber: user.number },
): Promise<void> {
  await auditLog.record({
    action,
    actor,
    target: `user:${user.number}`,
    address,
    requestId,
    details,
  });
}
