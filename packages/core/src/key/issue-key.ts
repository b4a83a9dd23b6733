import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { RequestLimitOverrides } from '../limit/request-limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId, newUuid } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import { requireName } from '../sandbox/sandbox-name.ts';
import { newWorkspace, workspaceFacts } from '../workspace/workspace.ts';
import { allowListProblem } from './address-allow-list.ts';
import type { ApiKey } from './api-key.ts';
import { digestKeyText, type ServerKey } from './key-digest.ts';
import type { KeyRestrictions } from './key-restrictions.ts';
import { type KeyPrefix, newKeyText } from './key-text.ts';
import { noteKey } from './note-key.ts';
import { requireRestrictions } from './require-restrictions.ts';
import { type GrantedScope, isScope, scopes as knownScopes } from './scope.ts';

export interface KeyDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
}

/** For what makes or changes keys: nothing is changed without a record of it. */
export interface KeyChangeDependencies extends KeyDependencies {
  readonly change: AuditedChange;
}

export interface IssueKeyRequest {
  readonly name?: string;
  readonly description?: string;
  readonly prefix?: KeyPrefix;
  /** Absent: a new random one. It has the `prefix`. */
  readonly text?: string;
  /** Slug of the only workspace that the key may reach, created if it is not there. Absent: all. */
  readonly namespace?: string;
  /** Absent: the key does not expire. */
  readonly expiresInMs?: number;
  /** Wins over `expiresInMs`. Null: never. */
  readonly expiresAtMs?: number | null;
  /** Absent: everything. */
  readonly scopes?: readonly string[];
  readonly addressAllowList?: readonly string[];
  readonly limits?: RequestLimitOverrides;
  readonly restrictions?: KeyRestrictions;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Whose child it becomes. That it reaches no further is `mintKey`'s part. */
  readonly parentNumber?: number;
  readonly owner?: Pick<ApiKey, 'ownerId' | 'followsOwner'>;
}

export interface IssuedKey {
  readonly key: ApiKey;
  /** The only time that the text is seen. */
  readonly text: string;
}

/** @throws SandgateError `invalid_request` */
export async function issueKey(
  dependencies: KeyChangeDependencies,
  request: IssueKeyRequest,
): Promise<IssuedKey> {
  const { storage, clock, randomness, serverKey, change } = dependencies;
  const granted = requireScopes(request.scopes ?? ['*']);
  const addressAllowList = requireAllowList(request.addressAllowList ?? []);
  const workspaceId =
    request.namespace === undefined ? null : await workspaceFor(dependencies, request.namespace);
  const nowMs = clock.nowMs();
  const id = newResourceId(clock, randomness);
  const prefix = request.prefix ?? 'msb_';
  const text = request.text ?? newKeyText(prefix, randomness);
  const key = await storage.keys.insert(
    {
      id,
      lineageId: id,
      name: request.name ?? '',
      description: request.description ?? '',
      prefix,
      lastFour: text.slice(-4),
      workspaceId,
      ownerId: request.owner?.ownerId ?? null,
      followsOwner: request.owner?.followsOwner ?? false,
      scopes: granted,
      addressAllowList,
      expiresAtMs: expiryOf(request, nowMs),
      enabled: true,
      createdAtMs: nowMs,
      lastUsedAtMs: null,
      usageCount: 0,
      revokedAtMs: null,
      parentNumber: request.parentNumber ?? null,
      limits: request.limits ?? {},
      restrictions: requireRestrictions(request.restrictions ?? {}),
      metadata: request.metadata ?? {},
    },
    {
      digest: digestKeyText(serverKey(), text),
      keyId: id,
      serverKeyVersion: serverKey().version,
      createdAtMs: nowMs,
      validUntilMs: null,
    },
    (stored) => {
      noteKey(change, stored);
      return change.append();
    },
  );
  return { key, text };
}

function expiryOf({ expiresAtMs, expiresInMs }: IssueKeyRequest, nowMs: number): number | null {
  if (expiresAtMs !== undefined) return expiresAtMs;
  return expiresInMs === undefined ? null : nowMs + expiresInMs;
}

/** @throws SandgateError `invalid_request` */
export function requireScopes(requested: readonly string[]): readonly GrantedScope[] {
  const unknown = requested.filter((scope) => !isScope(scope));
  if (unknown.length > 0 || requested.length === 0) {
    throw new SandgateError(
      'invalid_request',
      `Unknown scope: ${unknown.join(', ') || '(none given)'}. Known scopes: ${knownScopes.join(', ')}`,
    );
  }
  return requested.filter(isScope);
}

/** @throws SandgateError `invalid_request` */
export function requireAllowList(entries: readonly string[]): readonly string[] {
  const problems = entries.map(allowListProblem).filter((problem) => problem !== null);
  if (problems.length > 0) throw new SandgateError('invalid_request', problems.join('; '));
  return entries;
}

async function workspaceFor(
  { storage, clock, randomness, change }: KeyChangeDependencies,
  slug: string,
): Promise<string> {
  if (slug === '*') {
    throw new SandgateError(
      'invalid_request',
      'Leave the namespace out for a key of all namespaces: * is not a name',
    );
  }
  requireName('Namespace', slug);
  const workspace = await storage.workspaces.insertIfAbsent(
    newWorkspace({
      id: newResourceId(clock, randomness),
      uuid: newUuid(randomness),
      slug,
      createdAtMs: clock.nowMs(),
    }),
    (made) => change.alsoAppend('workspace.create', workspaceFacts(made)),
  );
  return workspace.id;
}
