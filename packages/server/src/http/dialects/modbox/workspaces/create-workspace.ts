import { createOwnWorkspace, grants, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { defineModboxRoute, optionalText, requirePerson } from '../modbox-route.ts';
import { callerOf } from './workspace-caller.ts';
import { workspaceDetail } from './workspace-item.ts';

export const createWorkspaceRoute = defineModboxRoute({
  method: 'post',
  path: '/workspaces',
  status: 201,
  access: 'any key',
  workspace: 'header',
  audit: 'workspace.create',
  body: z.object({
    name: z.string().max(400),
    description: optionalText(4_000),
    /** What microsandbox's clients name it by. */
    slug: optionalText(100),
  }),
  async run({ name, description = '', slug }, context) {
    const { caller } = context.access;
    const { isOperator } = callerOf(context);
    // A person needs no right for one of their own. A key of all workspaces makes it for others.
    if (isOperator && caller.kind === 'key' && !grants(caller.key.scopes, 'workspace:manage')) {
      throw new SandgateError('scope_missing', 'This API key lacks the scope workspace:manage');
    }
    const user = isOperator ? null : requirePerson(context).user;
    const ownerId = user?.id ?? null;
    const made = await createOwnWorkspace(context, { name, description, slug, ownerId });
    return await workspaceDetail(context.storage, made, user === null ? null : 'owner');
  },
});
