import { describeWorkspace } from '@sandgate/core';
import { z } from 'zod';
import { closeNamedWorkspace, handOverWorkspace } from '../../../people/change-workspaces.ts';
import { callerOf, namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute, optionalText } from '../modbox-route.ts';
import { workspaceDetail } from './workspace-item.ts';

export const updateWorkspaceRoute = defineModboxRoute({
  method: 'put',
  path: '/workspaces/{workspace_id}',
  access: 'workspace:manage',
  workspace: 'path',
  audit: 'workspace.update',
  body: z.object({ name: optionalText(400), description: optionalText(4_000) }),
  async run({ name, description }, context) {
    const changed = await describeWorkspace(context, namedWorkspace(context), {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    });
    return await workspaceDetail(context.storage, changed, callerOf(context).role);
  },
});

export const closeWorkspaceRoute = defineModboxRoute({
  method: 'delete',
  path: '/workspaces/{workspace_id}',
  access: 'workspace:manage',
  workspace: 'path',
  audit: 'workspace.close',
  async run(_, context) {
    await closeNamedWorkspace(context);
    return { success: true };
  },
});

export const transferWorkspaceRoute = defineModboxRoute({
  method: 'post',
  path: '/workspaces/{workspace_id}/transfer',
  access: 'workspace:manage',
  workspace: 'path',
  audit: 'workspace.transfer',
  body: z.object({ user_id: z.string().max(100) }),
  async run({ user_id: userId }, context) {
    const workspace = namedWorkspace(context);
    await handOverWorkspace(context, userId);
    const role = callerOf(context).isOperator ? null : 'admin';
    return await workspaceDetail(context.storage, workspace, role);
  },
});
