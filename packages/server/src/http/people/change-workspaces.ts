import {
  closeWorkspace,
  createOwnWorkspace,
  findMember,
  findUser,
  removeMember,
  requireRoleWithin,
  SandgateError,
  transferWorkspace,
  type User,
  type WorkspaceText,
} from '@sandgate/core';
import { callerKey } from '../authorize/caller-key.ts';
import { type CalledPeopleContext, requirePerson } from './people-context.ts';
import type { ReachedWorkspace } from './reached-workspaces.ts';
import { callerOf, mayManage, namedWorkspace, requireOwner } from './workspace-caller.ts';

/**
 * A person needs no right for one of their own. A key of all workspaces makes it for others.
 * @throws SandgateError `scope_missing`, `user_required`, `user_not_found`, `quota_exceeded`
 */
export async function makeWorkspace(
  context: CalledPeopleContext,
  request: WorkspaceText & {
    readonly slug?: string | undefined;
    /** E-mail address, number or id of the person whose it will be, where an operator says so. */
    readonly owner?: string | undefined;
  },
): Promise<ReachedWorkspace> {
  const owner = await ownerFor(context, request.owner);
  const ownerId = owner?.id ?? null;
  const workspace = await createOwnWorkspace(context, { ...request, ...boundOf(context), ownerId });
  return { workspace, role: callerOf(context).isOperator ? null : 'owner' };
}

/** An operator knows what more they give. */
const boundOf = (context: CalledPeopleContext): { readonly mostOwned?: number } =>
  callerOf(context).isOperator ? {} : { mostOwned: context.mostWorkspaces };

async function ownerFor(
  context: CalledPeopleContext,
  named: string | undefined,
): Promise<User | null> {
  if (!callerOf(context).isOperator) {
    if (named === undefined) return requirePerson(context).user;
    throw new SandgateError('invalid_request', 'owner: is for a key of all workspaces to say');
  }
  if (!mayManage(context)) {
    throw new SandgateError('scope_missing', 'This API key lacks the scope workspace:manage');
  }
  return named === undefined ? null : await findUser(context, named);
}

/** @throws SandgateError `role_refused`, `owner_conflict` for somebody's home */
export async function closeNamedWorkspace(context: CalledPeopleContext): Promise<void> {
  requireOwner(context);
  await closeWorkspace(context, namedWorkspace(context));
  context.purgeClosed();
}

/** @throws SandgateError `role_refused`, `user_required`, `grant_exceeded`, `member_not_found`, `owner_conflict` */
export async function handOverWorkspace(
  context: CalledPeopleContext,
  reference: string,
): Promise<void> {
  if (!requireOwner(context).isOperator) requirePerson(context);
  requireRoleWithin(callerKey(context), 'owner');
  const workspace = namedWorkspace(context);
  const to = await findMember(context, workspace, reference);
  context.change.note({ target: `workspace:${workspace.id}`, details: { to: to.id } });
  await transferWorkspace(context, workspace, to.id, boundOf(context));
}

/**
 * Anyone may remove themselves; others need the right to manage.
 * @throws SandgateError `role_refused`, `member_not_found`, `owner_conflict`
 */
export async function removeNamedMember(
  context: CalledPeopleContext,
  reference: string,
): Promise<void> {
  const { caller } = context.access;
  const owner = caller.kind === 'key' ? caller.owner : null;
  const workspace = namedWorkspace(context);
  const user = await findMember(context, workspace, reference);
  const leaves = owner?.user.id === user.id && owner.sessionId !== null;
  if (!mayManage(context) && !leaves) {
    throw new SandgateError('role_refused', 'Your role does not allow you to remove others');
  }
  await removeMember(context, workspace, user);
}
