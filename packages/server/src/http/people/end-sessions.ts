import { endSessions, isResourceId, SandgateError } from '@sandgate/core';
import { type CalledPeopleContext, requirePerson } from './people-context.ts';

/** @throws SandgateError `not_found` */
export async function endOwnSession(context: CalledPeopleContext, id: string): Promise<void> {
  const { user } = requirePerson(context);
  const { storage, clock, change } = context;
  change.note({ target: `user:${user.number}` });
  if (isResourceId(id)) {
    change.note({ details: { session: id } });
    if (await storage.sessions.end(user.id, id, clock.nowMs(), change.append)) return;
  }
  throw new SandgateError('not_found', 'There is no such session');
}

/** The caller's own too. Returns how many. */
export async function endOwnSessions(context: CalledPeopleContext): Promise<number> {
  const { user } = requirePerson(context);
  context.change.note({ target: `user:${user.number}` });
  return await endSessions(context, user, context.change);
}
