import { addMember, changeRole, findMember, requireRoleWithin, roles } from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../../authorize/caller-key.ts';
import { removeNamedMember } from '../../../people/change-workspaces.ts';
import { callerOf, namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute } from '../modbox-route.ts';

const role = z.enum(roles);

export const addMemberRoute = defineModboxRoute({
  method: 'post',
  path: '/workspaces/{workspace_id}/members',
  status: 201,
  access: 'workspace:manage',
  workspace: 'path',
  audit: 'member.add',
  body: z.object({ email: z.string().max(254), role }),
  async run({ email, role }, context) {
    requireRoleWithin(callerKey(context), role);
    const by = callerOf(context).user?.id ?? null;
    const added = await addMember(context, namedWorkspace(context), { email, role, by });
    if (added.kind === 'added') {
      const { id, email: address, name } = added.user;
      return { status: 'added', user_id: id, role, email: address, name };
    }
    const { invitation, token } = added;
    return {
      status: 'invited',
      user_id: null,
      role,
      email: invitation.email,
      invitation: {
        id: invitation.id,
        /** Shown this once: hand it to the person. */
        token,
        path: `/auth/invitations/accept`,
        expires_at: new Date(invitation.expiresAtMs).toISOString(),
      },
    };
  },
});

export const changeRoleRoute = defineModboxRoute({
  method: 'put',
  path: '/workspaces/{workspace_id}/members/{user_id}',
  access: 'workspace:manage',
  workspace: 'path',
  audit: 'member.role',
  body: z.object({ role }),
  async run({ role }, context) {
    requireRoleWithin(callerKey(context), role);
    const workspace = namedWorkspace(context);
    const user = await findMember(context, workspace, context.params.user_id ?? '');
    await changeRole(context, workspace, user, role);
    return { user_id: user.id, role, email: user.email, name: user.name };
  },
});

/** Anyone may remove themselves; others need the right to manage. */
export const removeMemberRoute = defineModboxRoute({
  method: 'delete',
  path: '/workspaces/{workspace_id}/members/{user_id}',
  access: 'any key',
  workspace: 'path',
  audit: 'member.remove',
  async run(_, context) {
    await removeNamedMember(context, context.params.user_id ?? '');
    return { success: true };
  },
});
