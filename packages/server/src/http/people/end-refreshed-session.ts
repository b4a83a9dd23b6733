import { endSessionOf } from '@sandgate/core';
import { recordSession } from './open-session.ts';
import type { PeopleContext } from './people-context.ts';

/**
 * Logs out by the refresh token: the access token may have expired by then. Tells nothing of whether
 * there was a session, so that a stranger finds nothing out.
 */
export async function endRefreshedSession(
  context: PeopleContext,
  refreshToken: string,
): Promise<void> {
  const ended = await endSessionOf(context, refreshToken);
  const user = ended === null ? null : await context.storage.users.findById(ended.userId);
  if (ended === null || user === null) return;
  await recordSession(context, 'session.end', user, { session: ended.id });
}
