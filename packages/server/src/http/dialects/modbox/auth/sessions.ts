import { endOwnSession } from '../../../people/end-sessions.ts';
import { requirePerson } from '../../../people/people-context.ts';
import { defineModboxRoute } from '../modbox-route.ts';

const time = (timeMs: number): string => new Date(timeMs).toISOString();

export const listSessionsRoute = defineModboxRoute({
  method: 'get',
  path: '/auth/sessions',
  access: 'user',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const { user, sessionId } = requirePerson(context);
    const sessions = await context.storage.sessions.listLiving(user.id, context.clock.nowMs());
    return {
      sessions: sessions.map((session) => ({
        id: session.id,
        current: session.id === sessionId,
        created_at: time(session.createdAtMs),
        refreshed_at: time(session.refreshedAtMs),
        expires_at: time(session.expiresAtMs),
        ip_address: session.address,
        user_agent: session.agent,
      })),
    };
  },
});

export const endSessionRoute = defineModboxRoute({
  method: 'delete',
  path: '/auth/sessions/{session_id}',
  access: 'user',
  workspace: 'header',
  audit: 'session.end',
  async run(_, context) {
    await endOwnSession(context, context.params.session_id ?? '');
    return { success: true };
  },
});
