import {
  acceptAsNewPerson,
  acceptInvitation,
  findInvitation,
  SandgateError,
  type Workspace,
} from '@sandgate/core';
import { z } from 'zod';
import { refuseStranger } from '../auth/refuse-stranger.ts';
import { openSession, tokenAnswer } from '../auth/token-answer.ts';
import {
  defineModboxDoor,
  defineModboxRoute,
  optionalText,
  requirePerson,
} from '../modbox-route.ts';
import { namedWorkspace } from './workspace-caller.ts';

export const listInvitationsRoute = defineModboxRoute({
  method: 'get',
  path: '/workspaces/{workspace_id}/invitations',
  access: 'workspace:manage',
  workspace: 'path',
  audit: null,
  async run(_, context) {
    const { storage, clock } = context;
    const found = await storage.invitations.list(namedWorkspace(context).id, clock.nowMs());
    return {
      invitations: found.map(({ id, email, role, createdAtMs, expiresAtMs }) => ({
        id,
        email,
        role,
        created_at: new Date(createdAtMs).toISOString(),
        expires_at: new Date(expiresAtMs).toISOString(),
      })),
    };
  },
});

export const withdrawInvitationRoute = defineModboxRoute({
  method: 'delete',
  path: '/workspaces/{workspace_id}/invitations/{invitation_id}',
  access: 'workspace:manage',
  workspace: 'path',
  audit: 'invitation.withdraw',
  async run(_, context) {
    const { invitation_id: id = '' } = context.params;
    const { id: workspaceId } = namedWorkspace(context);
    context.change.note({ target: `invitation:${id}` });
    const { invitations } = context.storage;
    if (await invitations.remove(workspaceId, id, context.change.append)) return { success: true };
    throw new SandgateError('invitation_invalid', 'The workspace has no such invitation');
  },
});

const token = z.string().max(200);

/** What the page behind an invitation's link shows. */
export const showInvitationRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/invitations/show',
  body: z.object({ token }),
  async run(body, context) {
    const invitation = await refuseStranger(context, '/auth/invitations/show', () =>
      findInvitation(context, body.token),
    );
    const workspace = await context.storage.workspaces.findById(invitation.workspaceId);
    return { email: invitation.email, role: invitation.role, workspace: named(workspace) };
  },
});

/** For a person without an account: makes it, and logs them in. */
export const acceptInvitationRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/invitations/accept',
  status: 201,
  body: z.object({ token, password: z.string().max(1_024), name: optionalText(200) }),
  async run({ name = '', password, ...body }, context) {
    const { auditLog, address, requestId } = context;
    const user = await refuseStranger(context, '/auth/invitations/accept', () =>
      acceptAsNewPerson(context, body.token, { name, password }, ({ number }) =>
        auditLog.append([
          {
            action: 'user.create',
            actor: { kind: 'user', userNumber: number },
            target: `user:${number}`,
            address,
            requestId,
            details: { by: 'invitation' },
          },
        ]),
      ),
    );
    return tokenAnswer(await openSession(context, user, { by: 'invitation' }));
  },
});

/** For a person who has an account, and has logged in. */
export const joinByInvitationRoute = defineModboxRoute({
  method: 'post',
  path: '/auth/invitations/join',
  access: 'user',
  workspace: 'header',
  audit: 'member.add',
  body: z.object({ token }),
  async run(body, context) {
    const { user } = requirePerson(context);
    const invitation = await acceptInvitation(context, body.token, user);
    const workspace = await context.storage.workspaces.findById(invitation.workspaceId);
    return { success: true, role: invitation.role, workspace: named(workspace) };
  },
});

const named = (workspace: Workspace | null) =>
  workspace === null ? null : { id: workspace.uuid, name: workspace.name };
