import { z } from 'zod';
import { joinByInvitation, type OpenInvitation, showInvitation } from '../../people/invitations.ts';
import { definePublicRoute, defineRoute } from '../route.ts';
import { invitationToken } from './invitation-schemas.ts';
import { roleName } from './workspace-schemas.ts';

const body = z.strictObject({ token: invitationToken });

const place = z.strictObject({
  email: z.string(),
  role: roleName,
  workspace: z
    .strictObject({ id: z.string(), uuid: z.string(), slug: z.string(), name: z.string() })
    .nullable(),
});

const toPlace = ({ invitation, workspace }: OpenInvitation): z.input<typeof place> => ({
  email: invitation.email,
  role: invitation.role,
  workspace:
    workspace === null
      ? null
      : {
          id: workspace.id,
          uuid: workspace.uuid,
          slug: workspace.slug,
          name: workspace.name,
        },
});

export const showInvitationRoute = definePublicRoute({
  operationId: 'showInvitation',
  method: 'post',
  path: '/api/v1/invitations/show',
  tag: 'Workspaces',
  summary: 'Show what an invitation is to',
  description: 'The token is in the body, so that no log of addresses has it.',
  body,
  answer: place,
  errors: ['invitation_invalid', 'rate_limited'],
  run: async ({ body: { token } }, context) =>
    toPlace(await showInvitation(context, '/api/v1/invitations/show', token)),
});

export const joinByInvitationRoute = defineRoute({
  operationId: 'joinByInvitation',
  method: 'post',
  path: '/api/v1/invitations/join',
  tag: 'Workspaces',
  summary: 'Take a place in a workspace, with the account that you have',
  access: 'person',
  workspace: 'reach',
  safe: false,
  audit: 'member.add',
  body,
  answer: place,
  errors: ['invitation_invalid', 'member_exists'],
  run: async ({ body: { token } }, context) => toPlace(await joinByInvitation(context, token)),
});
