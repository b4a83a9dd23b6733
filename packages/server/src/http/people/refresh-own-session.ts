import { type RefreshResult, refreshSession } from '@sandgate/core';
import { recordSession } from './open-session.ts';
import type { PeopleContext } from './people-context.ts';
import { refuseStranger } from './refuse-stranger.ts';

/** @throws SandgateError `session_ended`, `refresh_raced`, `rate_limited` */
export async function refreshOwnSession(
  context: PeopleContext,
  endpoint: string,
  refreshToken: string,
): Promise<RefreshResult> {
  const dependencies = {
    ...context,
    onReuse: async ({ id, userId }: { readonly id: string; readonly userId: string }) => {
      const user = await context.storage.users.findById(userId);
      if (user === null) return;
      await recordSession(context, 'session.reuse', user, { session: id }, { kind: 'stranger' });
    },
  };
  return await refuseStranger(context, endpoint, () => refreshSession(dependencies, refreshToken));
}
