import {
  addMember,
  changeRole,
  grants,
  removeMember,
  requireRoleWithin,
  roles,
  SandgateError,
  type User,
} from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../../authorize/caller-key.ts';
import { type AuthorisedModboxContext, defineModboxRoute } from '../modbox-route.ts';
import { callerOf, namedWorkspace } from './workspace-caller.ts';

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
    const user = await namedUser(context);
    await changeRole(context, namedWorkspace(context), user, role);
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
    const user = await namedUser(context);
    const { caller } = context.access;
    const scopes = caller.kind === 'key' ? caller.key.scopes : (['*'] as const);
    const leaves = caller.kind === 'key' && caller.owner?.user.id === user.id;
    if (!grants(scopes, 'workspace:manage') && !(leaves && caller.owner?.sessionId != null)) {
      throw new SandgateError('role_refused', 'Your role does not allow you to remove others');
    }
    await removeMember(context, namedWorkspace(context), user);
    return { success: true };
  },
});

async function namedUser({ storage, params }: AuthorisedModboxContext): Promise<User> {
  const user = await storage.users.findById(params.user_id ?? '');
  if (user !== null) return user;
  throw new SandgateError('member_not_found', 'The workspace has no such member');
}
