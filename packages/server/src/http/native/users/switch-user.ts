import { findUser, setUserEnabled } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { toUserItem, userItem, userParams } from './user-schemas.ts';

const switching = (enabled: boolean) =>
  defineRoute({
    operationId: enabled ? 'enableUser' : 'disableUser',
    method: 'post',
    path: `/api/v1/users/{user}/${enabled ? 'enable' : 'disable'}`,
    tag: 'People',
    summary: enabled ? 'Let a person in again' : 'Keep a person out',
    description: enabled
      ? 'For a key of all workspaces. Their keys work again; sessions that ended stay ended.'
      : 'For a key of all workspaces. Their sessions end and their keys are refused, from the next call on.',
    access: 'workspace:manage',
    workspace: 'all',
    safe: false,
    audit: enabled ? 'user.enable' : 'user.disable',
    params: userParams,
    answer: userItem,
    errors: ['user_not_found'],
    async run({ params }, context) {
      const user = await findUser(context, params.user);
      context.change.note({ target: `user:${user.number}` });
      await setUserEnabled(context, user, enabled, context.change.append);
      return toUserItem({ ...user, enabled });
    },
  });

export const enableUserRoute = switching(true);
export const disableUserRoute = switching(false);
