import { z } from 'zod';
import { makeWorkspace } from '../../../people/change-workspaces.ts';
import { defineModboxRoute, optionalText } from '../modbox-route.ts';
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
    const { workspace, role } = await makeWorkspace(context, { name, description, slug });
    return await workspaceDetail(context.storage, workspace, role);
  },
});
