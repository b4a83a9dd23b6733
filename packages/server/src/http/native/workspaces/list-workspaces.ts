import { z } from 'zod';
import { reachedWorkspaces } from '../../people/reached-workspaces.ts';
import { defineRoute } from '../route.ts';
import { reachedWorkspace, toReachedWorkspace } from './workspace-schemas.ts';

export const listWorkspacesRoute = defineRoute({
  operationId: 'listWorkspaces',
  method: 'get',
  path: '/api/v1/workspaces',
  tag: 'Workspaces',
  summary: 'List the workspaces that the caller can name',
  description:
    'Those that a person is a member of, the one that a key is bound to, or all of them for a key of all workspaces.',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  answer: z.strictObject({ workspaces: z.array(reachedWorkspace) }),
  async run(_, context) {
    const reached = await reachedWorkspaces(context);
    return { workspaces: reached.map(toReachedWorkspace) };
  },
});
