import { grants, type Role, SandgateError, type User, type Workspace } from '@sandgate/core';
import type { Access } from '../authorize/authorizer.ts';

interface Called {
  readonly access: Access;
}

/** What somebody is who asks about a workspace. */
export interface WorkspaceCaller {
  /** Null: a key that is nobody's, the operator, or development mode. */
  readonly user: User | null;
  readonly role: Role | null;
  /** Bound by no workspace: a key of all of them, or development mode. */
  readonly isOperator: boolean;
}

export function callerOf({ access: { caller } }: Called): WorkspaceCaller {
  if (caller.kind !== 'key') return { user: null, role: null, isOperator: true };
  const { key, owner } = caller;
  return {
    user: owner?.user ?? null,
    role: owner?.role ?? null,
    isOperator: key.workspaceId === null,
  };
}

export const mayManage = ({ access: { caller } }: Called): boolean =>
  caller.kind !== 'key' || grants(caller.key.scopes, 'workspace:manage');

/** @throws SandgateError `role_refused` */
export function requireOwner(context: Called): WorkspaceCaller {
  const caller = callerOf(context);
  if (caller.isOperator || caller.role === 'owner') return caller;
  throw new SandgateError('role_refused', 'Only the owner of the workspace may do this');
}

/** The one that the call is about. */
export function namedWorkspace({ access: { workspace } }: Called): Workspace {
  if (workspace !== null) return workspace;
  throw new SandgateError('workspace_not_found', 'Workspace not found');
}
