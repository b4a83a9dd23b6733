import { endSessions, findUser } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { userParams } from './user-schemas.ts';

export const endUserSessionsRoute = defineRoute({
  operationId: 'endUserSessions',
  method: 'delete',
  path: '/api/v1/users/{user}/sessions',
  tag: 'People',
  summary: 'End every session of a person',
  description: 'For a key of all workspaces. Their keys stay.',
  access: 'workspace:manage',
  workspace: 'all',
  safe: false,
  audit: 'session.end_all',
  params: userParams,
  answer: z.strictObject({ ended: z.int() }),
  errors: ['user_not_found'],
  async run({ params }, context) {
    const user = await findUser(context, params.user);
    context.change.note({ target: `user:${user.number}` });
    return { ended: await endSessions(context, user, context.change) };
  },
});
