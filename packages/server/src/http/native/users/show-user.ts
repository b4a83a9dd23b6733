import { findUser } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { reachedWorkspace, toReachedWorkspace } from '../workspaces/workspace-schemas.ts';
import { toUserItem, userItem, userParams } from './user-schemas.ts';

export const showUserRoute = defineRoute({
  operationId: 'getUser',
  method: 'get',
  path: '/api/v1/users/{user}',
  tag: 'People',
  summary: 'Show an account, and what its person is in which workspace',
  description: 'For a key of all workspaces.',
  access: 'workspace:read',
  workspace: 'all',
  safe: true,
  params: userParams,
  answer: userItem.extend({ workspaces: z.array(reachedWorkspace) }),
  errors: ['user_not_found'],
  async run({ params }, context) {
    const user = await findUser(context, params.user);
    const memberships = await context.storage.members.listOfUser(user.id);
    return { ...toUserItem(user), workspaces: memberships.map(toReachedWorkspace) };
  },
});
