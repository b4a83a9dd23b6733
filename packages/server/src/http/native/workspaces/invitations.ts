import { inviteMember, requireRoleWithin } from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { withdrawInvitation } from '../../people/invitations.ts';
import { callerOf, namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { emailText } from '../users/user-schemas.ts';
import {
  invitationItem,
  invitationWithToken,
  toInvitationItem,
  toInvitationWithToken,
} from './invitation-schemas.ts';
import { roleName, workspaceParams } from './workspace-schemas.ts';

export const listInvitationsRoute = defineRoute({
  operationId: 'listInvitations',
  method: 'get',
  path: '/api/v1/workspaces/{workspace}/invitations',
  tag: 'Workspaces',
  summary: 'List who is invited to a workspace',
  description: 'Oldest first, without those that have expired.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: true,
  params: workspaceParams,
  answer: z.strictObject({ invitations: z.array(invitationItem) }),
  async run(_, context) {
    const { storage, clock } = context;
    const found = await storage.invitations.list(namedWorkspace(context).id, clock.nowMs());
    return { invitations: found.map(toInvitationItem) };
  },
});

export const createInvitationRoute = defineRoute({
  operationId: 'createInvitation',
  method: 'post',
  path: '/api/v1/workspaces/{workspace}/invitations',
  tag: 'Workspaces',
  summary: 'Invite a person to a workspace',
  description:
    'With or without an account. The token of the answer is shown this once and is good for 7 days; it takes the place of an earlier one to the same address.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'member.invite',
  params: workspaceParams,
  body: z.strictObject({ email: emailText, role: roleName }),
  answer: invitationWithToken,
  errors: ['grant_exceeded', 'member_exists', 'owner_conflict'],
  async run({ body: { email, role } }, context) {
    requireRoleWithin(callerKey(context), role);
    const by = callerOf(context).user?.id ?? null;
    const workspace = namedWorkspace(context);
    return toInvitationWithToken(await inviteMember(context, workspace, { email, role, by }));
  },
});

export const withdrawInvitationRoute = defineRoute({
  operationId: 'withdrawInvitation',
  method: 'delete',
  path: '/api/v1/workspaces/{workspace}/invitations/{invitation}',
  tag: 'Workspaces',
  summary: 'Withdraw an invitation',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'invitation.withdraw',
  params: workspaceParams.extend({ invitation: z.string().max(100) }),
  answer: z.undefined(),
  status: 204,
  errors: ['invitation_invalid'],
  async run({ params }, context) {
    await withdrawInvitation(context, params.invitation);
    return undefined;
  },
});
