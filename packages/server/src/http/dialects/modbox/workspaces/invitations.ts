import type { Workspace } from '@sandgate/core';
import { z } from 'zod';
import {
  joinByInvitation,
  showInvitation,
  withdrawInvitation,
} from '../../../people/invitations.ts';
import { makeInvitedAccount } from '../../../people/make-account.ts';
import { openSession } from '../../../people/open-session.ts';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { tokenAnswer } from '../auth/token-answer.ts';
import { defineModboxDoor, defineModboxRoute, optionalText } from '../modbox-route.ts';

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
    await withdrawInvitation(context, context.params.invitation_id ?? '');
    return { success: true };
  },
});

const token = z.string().max(200);

export const showInvitationRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/invitations/show',
  body: z.object({ token }),
  async run(body, context) {
    const { invitation, workspace } = await showInvitation(
      context,
      '/auth/invitations/show',
      body.token,
    );
    return { email: invitation.email, role: invitation.role, workspace: named(workspace) };
  },
});

/** For a person without an account: makes it, and logs them in. */
export const acceptInvitationRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/invitations/accept',
  status: 201,
  body: z.object({ token, password: z.string().max(1_024), name: optionalText(200) }),
  async run({ name = '', ...account }, context) {
    const endpoint = '/auth/invitations/accept';
    const user = await makeInvitedAccount(context, endpoint, { ...account, name });
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
    const { invitation, workspace } = await joinByInvitation(context, body.token);
    return { success: true, role: invitation.role, workspace: named(workspace) };
  },
});

const named = (workspace: Workspace | null) =>
  workspace === null ? null : { id: workspace.uuid, name: workspace.name };
