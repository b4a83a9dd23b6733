import { z } from 'zod';
import { endOwnSession, endOwnSessions } from '../../people/end-sessions.ts';
import { requirePerson } from '../../people/people-context.ts';
import { defineRoute } from '../route.ts';
import { time, toTime } from '../shared-schemas.ts';

const sessionItem = z
  .strictObject({
    id: z.string(),
    current: z.boolean().meta({ description: 'The one of this request' }),
    created_at: time,
    refreshed_at: time,
    expires_at: time.meta({ description: 'Unless it is refreshed before' }),
    address: z.string(),
    agent: z.string().meta({ description: 'What the client called itself' }),
  })
  .meta({ id: 'Session' });

export const listSessionsRoute = defineRoute({
  operationId: 'listSessions',
  method: 'get',
  path: '/api/v1/me/sessions',
  tag: 'Account',
  summary: 'List where you are logged in',
  description: 'Newest first.',
  access: 'person',
  workspace: 'reach',
  safe: true,
  answer: z.strictObject({ sessions: z.array(sessionItem) }),
  async run(_, context) {
    const { user, sessionId } = requirePerson(context);
    const living = await context.storage.sessions.listLiving(user.id, context.clock.nowMs());
    return {
      sessions: living.map((session) => ({
        id: session.id,
        current: session.id === sessionId,
        created_at: toTime(session.createdAtMs),
        refreshed_at: toTime(session.refreshedAtMs),
        expires_at: toTime(session.expiresAtMs),
        address: session.address,
        agent: session.agent,
      })),
    };
  },
});

export const endSessionRoute = defineRoute({
  operationId: 'endSession',
  method: 'delete',
  path: '/api/v1/me/sessions/{session}',
  tag: 'Account',
  summary: 'Log out somewhere',
  description: 'Its access tokens are refused from the next call on.',
  access: 'person',
  workspace: 'reach',
  safe: false,
  audit: 'session.end',
  params: z.strictObject({ session: z.string().max(100) }),
  answer: z.undefined(),
  status: 204,
  errors: ['not_found'],
  async run({ params }, context) {
    await endOwnSession(context, params.session);
    return undefined;
  },
});

export const endSessionsRoute = defineRoute({
  operationId: 'endSessions',
  method: 'delete',
  path: '/api/v1/me/sessions',
  tag: 'Account',
  summary: 'Log out everywhere, here too',
  access: 'person',
  workspace: 'reach',
  safe: false,
  audit: 'session.end_all',
  answer: z.strictObject({ ended: z.int() }),
  run: async (_, context) => ({ ended: await endOwnSessions(context) }),
});
