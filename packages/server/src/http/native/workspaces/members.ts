import {
  addMember,
  changeRole,
  findMember,
  type Role,
  requireRoleWithin,
  type User,
} from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { removeNamedMember } from '../../people/change-workspaces.ts';
import { callerOf, namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { time, toTime } from '../shared-schemas.ts';
import { emailText, personFields, toPerson, userReference } from '../users/user-schemas.ts';
import { invitationWithToken, toInvitationWithToken } from './invitation-schemas.ts';
import { roleName, workspaceParams } from './workspace-schemas.ts';

const memberItem = z.strictObject({ ...personFields, role: roleName }).meta({ id: 'Member' });
const memberParams = workspaceParams.extend({ user: userReference });

const toMember = (user: User, role: Role): z.input<typeof memberItem> => ({
  ...toPerson(user),
  role,
});

export const listMembersRoute = defineRoute({
  operationId: 'listMembers',
  method: 'get',
  path: '/api/v1/workspaces/{workspace}/members',
  tag: 'Workspaces',
  summary: 'List the members of a workspace',
  description: 'Oldest first.',
  access: 'workspace:read',
  workspace: 'own',
  safe: true,
  params: workspaceParams,
  answer: z.strictObject({ members: z.array(memberItem.extend({ member_since: time })) }),
  async run(_, context) {
    const members = await context.storage.members.listOfWorkspace(namedWorkspace(context).id);
    return {
      members: members.map(({ member, user }) => ({
        ...toMember(user, member.role),
        member_since: toTime(member.createdAtMs),
      })),
    };
  },
});

export const addMemberRoute = defineRoute({
  operationId: 'addMember',
  method: 'post',
  path: '/api/v1/workspaces/{workspace}/members',
  tag: 'Workspaces',
  summary: 'Add a member, or invite who has no account',
  description:
    'Whoever has an account under a proven address is a member at once. Anybody else is invited: hand the token of the answer over, no mail is sent. A key gives no role that may do more than the key itself.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'member.add',
  params: workspaceParams,
  body: z.strictObject({ email: emailText, role: roleName }),
  answer: z.strictObject({
    member: memberItem.nullable().meta({ description: 'Null: the person was invited' }),
    invitation: invitationWithToken.nullable(),
  }),
  errors: ['grant_exceeded', 'member_exists', 'owner_conflict'],
  async run({ body: { email, role } }, context) {
    requireRoleWithin(callerKey(context), role);
    const by = callerOf(context).user?.id ?? null;
    const added = await addMember(context, namedWorkspace(context), { email, role, by });
    return added.kind === 'added'
      ? { member: toMember(added.user, role), invitation: null }
      : { member: null, invitation: toInvitationWithToken(added) };
  },
});

export const changeRoleRoute = defineRoute({
  operationId: 'changeRole',
  method: 'put',
  path: '/api/v1/workspaces/{workspace}/members/{user}',
  tag: 'Workspaces',
  summary: 'Change the role of a member',
  description: 'It holds from their next call on, and for their keys too. Never the owner.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'member.role',
  params: memberParams,
  body: z.strictObject({ role: roleName }),
  answer: memberItem,
  errors: ['grant_exceeded', 'member_not_found', 'owner_conflict'],
  async run({ params, body: { role } }, context) {
    requireRoleWithin(callerKey(context), role);
    const workspace = namedWorkspace(context);
    const user = await findMember(context, workspace, params.user);
    await changeRole(context, workspace, user, role);
    return toMember(user, role);
  },
});

export const removeMemberRoute = defineRoute({
  operationId: 'removeMember',
  method: 'delete',
  path: '/api/v1/workspaces/{workspace}/members/{user}',
  tag: 'Workspaces',
  summary: 'Remove a member',
  description:
    'Their next call there is refused, whatever token or key it comes with. Takes workspace:manage; anybody who has logged in may remove themselves.',
  access: 'any key',
  workspace: 'own',
  safe: false,
  audit: 'member.remove',
  params: memberParams,
  answer: z.undefined(),
  status: 204,
  errors: ['member_not_found', 'owner_conflict', 'role_refused'],
  async run({ params }, context) {
    await removeNamedMember(context, params.user);
    return undefined;
  },
});
