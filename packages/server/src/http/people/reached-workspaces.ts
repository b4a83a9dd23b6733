import type { Role, Storage, Workspace } from '@sandgate/core';
import type { Access } from '../authorize/authorizer.ts';
import { callerOf } from './workspace-caller.ts';

export interface ReachedWorkspace {
  readonly workspace: Workspace;
  /** Of the caller; null for a key that is nobody's. */
  readonly role: Role | null;
}

/** Every workspace that a caller can name, by slug: all of them for an operator. */
export async function reachedWorkspaces(context: {
  readonly storage: Storage;
  readonly access: Access;
}): Promise<readonly ReachedWorkspace[]> {
  const { storage, access } = context;
  const { user, isOperator } = callerOf(context);
  if (isOperator) {
    return (await storage.workspaces.list()).map((workspace) => ({ workspace, role: null }));
  }
  if (user === null) {
    return access.workspace === null ? [] : [{ workspace: access.workspace, role: null }];
  }
  const memberships = await storage.members.listOfUser(user.id);
  const follows = access.caller.kind === 'key' && access.caller.key.followsOwner;
  // A key that is bound to one workspace does not tell of the others.
  return memberships.filter(({ workspace }) => follows || workspace.id === access.workspace?.id);
}
