import { reachedWorkspaces } from '../../../people/reached-workspaces.ts';
import { defineModboxRoute } from '../modbox-route.ts';
import { workspaceItem } from './workspace-item.ts';

export const listWorkspacesRoute = defineModboxRoute({
  method: 'get',
  path: '/workspaces',
  access: 'workspace:read',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const reached = await reachedWorkspaces(context);
    return { workspaces: reached.map(({ workspace, role }) => workspaceItem(workspace, role)) };
  },
});
