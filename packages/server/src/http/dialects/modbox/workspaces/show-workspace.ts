import { callerOf, namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute } from '../modbox-route.ts';
import { workspaceDetail } from './workspace-item.ts';

export const showWorkspaceRoute = defineModboxRoute({
  method: 'get',
  path: '/workspaces/{workspace_id}',
  access: 'workspace:read',
  workspace: 'path',
  audit: null,
  async run(_, context) {
    const { role } = callerOf(context);
    return await workspaceDetail(context.storage, namedWorkspace(context), role);
  },
});
