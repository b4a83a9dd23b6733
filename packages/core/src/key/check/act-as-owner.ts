import { type Awaitable, whenKnown } from '../../port/awaitable.ts';
import type { Membership } from '../../port/member-store.ts';
import { roleScopes } from '../../user/role.ts';
import type { User } from '../../user/user.ts';
import type { ApiKey } from '../api-key.ts';
import { sharedScopes } from '../scope.ts';
import type { Check, CheckStep } from './check.ts';
import { accessDenied } from './resolve-workspace.ts';

/**
 * What a person's key or token may do is what their role in the workspace allows today, and what the
 * key was given, whichever is less. Nobody's key passes. The membership is read at each call: the
 * call after a removal is refused.
 */
export const actAsOwner: CheckStep = (check) => {
  const { key, owner, dependencies } = check;
  if (key === null || key.ownerId === null) return null;
  const { ownerId } = key;
  return whenKnown(owner?.user ?? dependencies.storage.users.findById(ownerId), (user) => {
    if (user === null || !user.enabled) return accessDenied();
    return whenKnown(membershipOf(check, key, ownerId), (membership) => {
      if (membership === null) return accessDenied();
      narrow(check, key, user, membership);
      return null;
    });
  });
};

function narrow(check: Check, key: ApiKey, user: User, { role, workspace }: Membership): void {
  const allowed = roleScopes[role];
  const scopes = sharedScopes(key.scopes, allowed);
  check.owner = { user, role, sessionId: check.owner?.sessionId ?? null };
  check.key = { ...key, workspaceId: workspace.id, scopes };
  check.workspace = workspace;
}

/** A key that follows its owner goes where the call says; any other stays in its workspace. */
function membershipOf(
  { request, dependencies }: Check,
  key: ApiKey,
  ownerId: string,
): Awaitable<Membership | null> {
  const { members } = dependencies.storage;
  const { workspace: selector } = request;
  if (selector.kind === 'all') return null;
  if (selector.kind !== 'named') return members.find(ownerId, key.workspaceId ?? '');
  if (key.followsOwner) return members.findBySlug(ownerId, selector.slug);
  return whenKnown(members.find(ownerId, key.workspaceId ?? ''), (own) =>
    own?.workspace.slug === selector.slug ? own : null,
  );
}
