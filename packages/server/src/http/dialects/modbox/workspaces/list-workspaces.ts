import { defineModboxRoute } from '../modbox-route.ts';
import { callerOf } from './workspace-caller.ts';
import { workspaceItem } from './workspace-item.ts';

export const listWorkspacesRoute = defineModboxRoute({
  method: 'get',
  path: '/workspaces',
  access: 'workspace:read',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const { storage, access } = context;
    const { user, isOperator } = callerOf(context);
    if (isOperator) {
      const all = await storage.workspaces.list();
      return { workspaces: all.map((workspace) => workspaceItem(workspace, null)) };
    }
    const follows = access.caller.kind === 'key' && access.caller.key.followsOwner;
    const memberships = user === null ? [] : await storage.members.listOfUser(user.id);
    // A key that is bound to one workspace does not tell of the others.
    const shown = memberships.filter(
      ({ workspace }) => follows || workspace.id === access.workspace?.id,
    );
    const own = user === null && access.workspace !== null ? [access.workspace] : [];
    return {
      workspaces: [
        ...shown.map(({ workspace, role }) => workspaceItem(workspace, role)),
        ...own.map((workspace) => workspaceItem(workspace, null)),
      ],
    };
  },
});
