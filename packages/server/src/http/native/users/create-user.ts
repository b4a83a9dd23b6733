import { createUser, requireRoleWithin } from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { defineRoute } from '../route.ts';
import { emailText, passwordText, personName, toUserItem, userItem } from './user-schemas.ts';

export const createUserRoute = defineRoute({
  operationId: 'createUser',
  method: 'post',
  path: '/api/v1/users',
  tag: 'People',
  summary: 'Make an account',
  description:
    'For a key of all workspaces, whose word it is that the person has the mailbox. They get a workspace of their own.',
  access: 'workspace:manage',
  workspace: 'all',
  safe: false,
  audit: 'user.create',
  body: z.strictObject({
    email: emailText,
    name: personName.optional(),
    password: passwordText
      .nullable()
      .default(null)
      .meta({ description: 'Left out or null: single sign-on only' }),
    owner: z
      .boolean()
      .default(false)
      .meta({ description: 'Their own workspace is `default`, which they then own' }),
  }),
  answer: userItem,
  errors: ['grant_exceeded', 'owner_conflict', 'user_exists'],
  async run({ body: { email, name = '', password, owner } }, context) {
    // What is in `default` is there already; a home of their own is empty.
    if (owner) requireRoleWithin(callerKey(context), 'owner');
    const request = { email, name, password, ownsDefault: owner };
    const user = await createUser(context, request, ({ number }) => {
      context.change.note({ target: `user:${number}` });
      return context.change.append();
    });
    return toUserItem(user);
  },
});
