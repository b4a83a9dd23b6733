import type { Invitation, Invited } from '@sandgate/core';
import { z } from 'zod';
import { time, toTime } from '../shared-schemas.ts';
import { roleName } from './workspace-schemas.ts';

export const invitationToken = z.string().max(200);

export const invitationItem = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    role: roleName,
    created_at: time,
    expires_at: time,
  })
  .meta({ id: 'Invitation' });

export const invitationWithToken = invitationItem
  .extend({ token: z.string().meta({ description: 'Shown this once: hand it to the person' }) })
  .meta({ id: 'InvitationWithToken' });

export const toInvitationItem = (invitation: Invitation): z.input<typeof invitationItem> => ({
  id: invitation.id,
  email: invitation.email,
  role: invitation.role,
  created_at: toTime(invitation.createdAtMs),
  expires_at: toTime(invitation.expiresAtMs),
});

export const toInvitationWithToken = ({
  invitation,
  token,
}: Invited): z.input<typeof invitationWithToken> => ({ ...toInvitationItem(invitation), token });
