import { endSessionOf } from '@sandgate/core';
import { z } from 'zod';
import { endOwnSessions } from '../../../people/end-sessions.ts';
import { recordSession } from '../../../people/open-session.ts';
import { defineModboxDoor, defineModboxRoute } from '../modbox-route.ts';

/** Needs no more than the refresh token: the access token may have expired by then. */
export const logOutRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/logout',
  body: z.object({ refresh_token: z.string().max(10_000) }),
  async run({ refresh_token }, context) {
    const ended = await endSessionOf(context, refresh_token);
    const user = ended === null ? null : await context.storage.users.findById(ended.userId);
    if (ended !== null && user !== null) {
      await recordSession(context, 'session.end', user, { session: ended.id });
    }
    // The same for a token that nobody has: there is nothing that a stranger could find out.
    return { success: true };
  },
});

export const logOutEverywhereRoute = defineModboxRoute({
  method: 'post',
  path: '/auth/logout-all',
  access: 'user',
  workspace: 'header',
  audit: 'session.end_all',
  async run(_, context) {
    return { success: true, ended: await endOwnSessions(context) };
  },
});
