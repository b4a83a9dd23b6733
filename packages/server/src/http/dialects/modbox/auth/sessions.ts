import { SandgateError } from '@sandgate/core';
import { defineModboxRoute, requirePerson } from '../modbox-route.ts';

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
    const { user } = requirePerson(context);
    const { session_id: id = '' } = context.params;
    context.change.note({ target: `user:${user.number}`, details: { session: id } });
    const { sessions } = context.storage;
    if (!(await sessions.end(user.id, id, context.clock.nowMs(), context.change.append))) {
      throw new SandgateError('not_found', 'There is no such session');
    }
    return { success: true };
  },
});
