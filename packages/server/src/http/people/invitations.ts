import {
  acceptInvitation,
  findInvitation,
  type Invitation,
  isResourceId,
  SandgateError,
  type Workspace,
} from '@sandgate/core';
import { type CalledPeopleContext, type PeopleContext, requirePerson } from './people-context.ts';
import { refuseStranger } from './refuse-stranger.ts';
import { namedWorkspace } from './workspace-caller.ts';

export interface OpenInvitation {
  readonly invitation: Invitation;
  /** Null: it was closed just now. */
  readonly workspace: Workspace | null;
}

/** What the page behind an invitation's link shows. @throws SandgateError `invitation_invalid` */
export async function showInvitation(
  context: PeopleContext,
  endpoint: string,
  token: string,
): Promise<OpenInvitation> {
  const invitation = await refuseStranger(context, endpoint, () => findInvitation(context, token));
  return { invitation, workspace: await workspaceOf(context, invitation) };
}

/** For a person who has logged in. @throws SandgateError `invitation_invalid`, `member_exists` */
export async function joinByInvitation(
  context: CalledPeopleContext,
  token: string,
): Promise<OpenInvitation> {
  const invitation = await acceptInvitation(context, token, requirePerson(context).user);
  return { invitation, workspace: await workspaceOf(context, invitation) };
}

const workspaceOf = async ({ storage }: PeopleContext, { workspaceId }: Invitation) =>
  await storage.workspaces.findById(workspaceId);

/** @throws SandgateError `invitation_invalid` */
export async function withdrawInvitation(context: CalledPeopleContext, id: string): Promise<void> {
  const { storage, change } = context;
  const workspace = namedWorkspace(context);
  if (isResourceId(id)) {
    change.note({ target: `invitation:${id}` });
    if (await storage.invitations.remove(workspace.id, id, change.append)) return;
  }
  throw new SandgateError('invitation_invalid', 'The workspace has no such invitation');
}
