import { describeWorkspace } from '@sandgate/core';
import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { closeNamedWorkspace, handOverWorkspace } from '../../people/change-workspaces.ts';
import { callerOf, namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { userReference } from '../users/user-schemas.ts';
import {
  reachedWorkspace,
  toReachedWorkspace,
  workspaceParams,
  workspaceText,
} from './workspace-schemas.ts';

export const updateWorkspaceRoute = defineRoute({
  operationId: 'updateWorkspace',
  method: 'put',
  path: '/api/v1/workspaces/{workspace}',
  tag: 'Workspaces',
  summary: 'Rename a workspace, or describe it',
  description: 'What is left out stays as it is. The slug stays for good.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'workspace.update',
  params: workspaceParams,
  body: z.strictObject(workspaceText).partial(),
  answer: reachedWorkspace,
  async run({ body }, context) {
    const workspace = await describeWorkspace(context, namedWorkspace(context), givenFields(body));
    return toReachedWorkspace({ workspace, role: callerOf(context).role });
  },
});

export const closeWorkspaceRoute = defineRoute({
  operationId: 'closeWorkspace',
  method: 'delete',
  path: '/api/v1/workspaces/{workspace}',
  tag: 'Workspaces',
  summary: 'Close a workspace, for good',
  description:
    'For its owner. With the answer in hand, nobody reaches it any more, its keys are revoked and its name is free. What is in it is destroyed within minutes; usage and audit stay.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'workspace.close',
  params: workspaceParams,
  answer: z.undefined(),
  status: 204,
  errors: ['owner_conflict', 'role_refused'],
  async run(_, context) {
    await closeNamedWorkspace(context);
    return undefined;
  },
});

export const transferWorkspaceRoute = defineRoute({
  operationId: 'transferWorkspace',
  method: 'post',
  path: '/api/v1/workspaces/{workspace}/transfer',
  tag: 'Workspaces',
  summary: 'Hand a workspace over to another member',
  description: 'For its owner, who has logged in and becomes an admin, or a key of all workspaces.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'workspace.transfer',
  params: workspaceParams,
  body: z.strictObject({ user: userReference }),
  answer: reachedWorkspace,
  errors: [
    'grant_exceeded',
    'member_not_found',
    'owner_conflict',
    'quota_exceeded',
    'role_refused',
    'user_required',
  ],
  async run({ body }, context) {
    await handOverWorkspace(context, body.user);
    const role = callerOf(context).isOperator ? null : 'admin';
    return toReachedWorkspace({ workspace: namedWorkspace(context), role });
  },
});
