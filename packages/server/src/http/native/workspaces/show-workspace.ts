import { callerOf, namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { reachedWorkspace, toReachedWorkspace, workspaceParams } from './workspace-schemas.ts';

export const showWorkspaceRoute = defineRoute({
  operationId: 'getWorkspace',
  method: 'get',
  path: '/api/v1/workspaces/{workspace}',
  tag: 'Workspaces',
  summary: 'Show a workspace',
  access: 'workspace:read',
  workspace: 'own',
  safe: true,
  params: workspaceParams,
  answer: reachedWorkspace,
  run: async (_, context) =>
    toReachedWorkspace({ workspace: namedWorkspace(context), role: callerOf(context).role }),
});
