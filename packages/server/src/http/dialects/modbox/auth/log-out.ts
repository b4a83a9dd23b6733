import { z } from 'zod';
import { endRefreshedSession } from '../../../people/end-refreshed-session.ts';
import { endOwnSessions } from '../../../people/end-sessions.ts';
import { defineModboxDoor, defineModboxRoute } from '../modbox-route.ts';

/** Needs no more than the refresh token: the access token may have expired by then. */
export const logOutRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/logout',
  body: z.object({ refresh_token: z.string().max(10_000) }),
  async run({ refresh_token }, context) {
    await endRefreshedSession(context, refresh_token);
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
