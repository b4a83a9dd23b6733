import { SandgateError } from '../error/sandgate-error.ts';
import type { RequestLimits } from '../limit/request-limits.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { ApiKey } from './api-key.ts';
import {
  type IssuedKey,
  type IssueKeyRequest,
  issueKey,
  type KeyChangeDependencies,
} from './issue-key.ts';
import { intersectRights, type KeyRights, rightsBeyond } from './key-rights.ts';
import { naturalParent } from './natural-parent.ts';
import { isScope } from './scope.ts';

/** Who gives rights away, and can give no more than it has. */
export interface Grantor {
  /** The key that asks; null where none is asked for, and everything may be given. */
  readonly caller: ApiKey | null;
  /** Of the key that is made or changed. */
  readonly workspace: Workspace | null;
  readonly limitsOf: (key: ApiKey, workspace: Workspace | null) => RequestLimits;
}

/**
 * @throws SandgateError `grant_exceeded` naming everything in which `wanted` reaches further than
 * the caller, or than one of `others`
 */
export function requireWithin(
  wanted: ApiKey | KeyRights,
  grantor: Grantor,
  others: readonly ApiKey[] = [],
): void {
  const { caller, workspace, limitsOf } = grantor;
  const bounds = [...(caller === null ? [] : [caller]), ...others];
  const target = { workspaceId: workspace?.id ?? null };
  const beyond = bounds.flatMap((bound) =>
    rightsBeyond(
      { ...wanted, limits: limitsOf({ ...bound, ...target, limits: wanted.limits }, workspace) },
      { ...bound, limits: limitsOf(bound, workspace) },
    ),
  );
  if (beyond.length === 0) return;
  throw new SandgateError(
    'grant_exceeded',
    `An API key can give no more than it has itself, and not ${[...new Set(beyond)].join(', ')}`,
  );
}

export type MintKeyRequest = Omit<IssueKeyRequest, 'namespace' | 'parentNumber' | 'owner'>;

/**
 * Makes a key for whoever asks over the network. It is a child of the caller, or of `parent`, and
 * reaches no further than both; what the request leaves out is as far as that goes. Only what a key
 * of all workspaces makes, or a person, is nobody's child, unless `parent` is given. The key belongs
 * to whom the caller belongs to, or the parent.
 * @throws SandgateError `grant_exceeded`, `invalid_request`, `key_revoked` for a parent that is dead
 */
export async function mintKey(
  dependencies: KeyChangeDependencies,
  grantor: Grantor & { readonly workspace: Workspace },
  request: MintKeyRequest,
  parent: ApiKey | null = naturalParent(grantor.caller),
): Promise<IssuedKey> {
  const nowMs = dependencies.clock.nowMs();
  const unbounded: KeyRights = {
    scopes: ['*'],
    expiresAtMs: null,
    addressAllowList: [],
    limits: {},
    restrictions: {},
  };
  const bounds = [grantor.caller, parent].filter((key) => key !== null);
  const most = bounds.reduce<KeyRights>(intersectRights, unbounded);
  const expiresAtMs =
    request.expiresAtMs ??
    (request.expiresInMs === undefined ? most.expiresAtMs : nowMs + request.expiresInMs);
  const wanted = {
    scopes: request.scopes ?? most.scopes,
    expiresAtMs: request.expiresAtMs === null ? null : expiresAtMs,
    addressAllowList: request.addressAllowList ?? most.addressAllowList,
    limits: { ...most.limits, ...request.limits },
    restrictions: { ...most.restrictions, ...request.restrictions },
  };
  const known = { ...wanted, scopes: wanted.scopes.filter(isScope) };
  requireWithin(known, grantor, parent === null ? [] : [parent]);
  return await issueKey(dependencies, {
    ...request,
    ...wanted,
    namespace: grantor.workspace.slug,
    ...(parent === null ? {} : { parentNumber: parent.number }),
    owner: { ownerId: parent?.ownerId ?? grantor.caller?.ownerId ?? null, followsOwner: false },
  });
}
