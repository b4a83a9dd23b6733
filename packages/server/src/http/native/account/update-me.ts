import { renameUser } from '@sandgate/core';
import { z } from 'zod';
import { requirePerson } from '../../people/people-context.ts';
import { defineRoute } from '../route.ts';
import { personName, toUserItem, userItem } from '../users/user-schemas.ts';

export const updateMeRoute = defineRoute({
  operationId: 'updateMe',
  method: 'put',
  path: '/api/v1/me',
  tag: 'Account',
  summary: 'Change your name',
  access: 'person',
  workspace: 'reach',
  safe: false,
  audit: 'user.update',
  body: z.strictObject({ name: personName }),
  answer: userItem,
  async run({ body: { name } }, context) {
    const { user } = requirePerson(context);
    context.change.note({ target: `user:${user.number}`, details: { fields: 'name' } });
    return toUserItem(await renameUser(context, user, name, context.change.append));
  },
});
