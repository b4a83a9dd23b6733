import { type AuditActor, type SessionTokens, startSession, type User } from '@sandgate/core';
import type { PeopleContext } from './people-context.ts';

/** Lets a person in, and records it. */
export async function openSession(
  context: PeopleContext,
  user: User,
  details: Readonly<Record<string, string>>,
): Promise<SessionTokens> {
  const tokens = await startSession(context, user, context);
  await recordSession(context, 'session.start', user, { ...details, session: tokens.session.id });
  return tokens;
}

/** `actor` is the person, unless somebody else did it to them. */
export async function recordSession(
  { auditLog, address, requestId }: PeopleContext,
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
