import {
  type ApiKey,
  type AuditEntry,
  type AuditFilter,
  type AuditHead,
  type AuditVerification,
  auditKeyChange,
  createAuditLog,
  findKey,
  type Grantor,
  type IssueKeyRequest,
  issueKey,
  type KeyChangeDependencies,
  type KeyDependencies,
  type KeyRestrictions,
  type KeyState,
  listAncestors,
  type MintKeyRequest,
  mintKey,
  narrowLineage,
  noLimits,
  type RequestLimitOverrides,
  type RequestLimits,
  revokeKey,
  rotateKey,
  type Sandbox,
  SandgateError,
  type ServerKey,
  setKeyEnabled,
  type UpdateKeyRequest,
  type UsageBucket,
  type UsageFilter,
  type UsageRow,
  updateKey,
  verifyAudit,
} from '@sandgate/core';
import { type ApiKeyDetails, type ApiKeyView, keyView } from './key-view.ts';

const keysAtOnce = 10_000;
const rowsAtOnce = 1_000;

export interface IssuedKeyView {
  readonly key: ApiKeyView;
  /** Shown to its owner now, and never again. */
  readonly text: string;
}

export interface SandboxView {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: Sandbox['state'];
  readonly image: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface Counts {
  readonly keys: number;
  readonly sandboxes: { readonly total: number; readonly running: number };
}

export interface KeyListFilter {
  readonly namespace?: string;
  readonly state?: KeyState;
  /** What name or description contains. */
  readonly search?: string;
  /** Only children of this key. */
  readonly parent?: string;
  /** Without a `state`, revoked keys are left out otherwise. */
  readonly includeRevoked?: boolean;
}

export interface KeyUpdate
  extends Pick<UpdateKeyRequest, 'name' | 'description' | 'scopes' | 'addressAllowList'> {
  /** From now. Null: never. */
  readonly expiresInMs?: number | null;
  /** What is left out stays as it is. Undefined: not restricted any more. */
  readonly restrictions?: {
    readonly [Name in keyof KeyRestrictions]?: KeyRestrictions[Name] | undefined;
  };
  /** What is left out stays as it is. `plan`: what the plan says again. */
  readonly limits?: Readonly<Partial<Record<keyof RequestLimits, number | null | 'plan'>>>;
}

/** `namespace` is a slug, and `key` a number or id. */
export interface UsageQuery extends Omit<UsageFilter, 'workspaceId' | 'keyNumber'> {
  readonly namespace?: string;
  readonly key?: string;
}

export interface UsageRowView extends Omit<UsageRow, 'workspaceId'> {
  /** Null: the call was about all, or was refused before its namespace was known. */
  readonly namespace: string | null;
}

export interface AuditQuery extends Omit<AuditFilter, 'workspaceId' | 'keyNumber'> {
  readonly namespace?: string;
  readonly key?: string;
}

export interface AuditEntryView extends Omit<AuditEntry, 'workspaceId' | 'previousHash'> {
  readonly namespace: string | null;
}

export interface AdministrationDependencies extends Omit<KeyDependencies, 'serverKey'> {
  /**
   * Asked for when a key is made or a record sealed, so that nothing else needs the secret.
   * @throws SandgateError `config_invalid`, `server_key_mismatch`
   */
  readonly loadServerKey: () => Promise<ServerKey>;
  /** Asked for when limits are shown or compared, so that nothing else needs a sound configuration. */
  readonly loadLimits: () => Promise<Grantor['limitsOf']>;
}

/**
 * What an operator does on the machine itself. Works on the store directly, whether or not a server
 * runs on it: a server reads keys at every check and so sees each change at once.
 */
export interface Administration {
  issueKey(request: IssueKeyRequest): Promise<IssuedKeyView>;
  /**
   * Makes a key that reaches no further than `parent`, and dies with it.
   * @throws SandgateError `grant_exceeded`, `key_not_found`, `key_revoked`
   */
  mintChild(parent: string, request: MintKeyRequest): Promise<IssuedKeyView>;
  /** @throws SandgateError `workspace_not_found` */
  listKeys(filter?: KeyListFilter): Promise<readonly ApiKeyView[]>;
  /** `reference`: a key's number or its id. @throws SandgateError `key_not_found` */
  showKey(reference: string): Promise<ApiKeyDetails>;
  /** @throws SandgateError `key_changed`, `key_not_found`, `key_revoked` */
  updateKey(reference: string, update: KeyUpdate): Promise<ApiKeyView>;
  revokeKey(reference: string): Promise<ApiKeyView>;
  rotateKey(reference: string, options?: { readonly overlapMs?: number }): Promise<IssuedKeyView>;
  setKeyEnabled(reference: string, enabled: boolean): Promise<ApiKeyView>;
  listSandboxes(namespace?: string): Promise<readonly SandboxView[]>;
  counts(): Promise<Counts>;
  /** Newest first, in pages that are read as they are taken. `limit`: null for all. */
  listUsage(query: UsageQuery, limit: number | null): AsyncIterable<readonly UsageRowView[]>;
  /** By endpoint and hour or day, oldest first. */
  summarizeUsage(
    query: Pick<UsageQuery, 'namespace' | 'key' | 'fromMs' | 'toMs'>,
    by: 'hour' | 'day',
  ): Promise<readonly UsageBucket[]>;
  /** The newest `limit` entries, newest first. */
  listAudit(query: AuditQuery, limit: number): Promise<readonly AuditEntryView[]>;
  /** `anchor`: the head that an earlier verification gave, kept elsewhere. */
  verifyAudit(anchor?: AuditHead): Promise<AuditVerification>;
}

export function createAdministration(dependencies: AdministrationDependencies): Administration {
  const { storage, clock, loadServerKey } = dependencies;

  /** Nothing changes when the record of it could not be sealed. */
  const changeKey = async <Result>(
    attempt: Omit<Parameters<typeof auditKeyChange>[1], 'actor'>,
    work: (keyDependencies: KeyChangeDependencies) => Promise<Result>,
  ): Promise<Result> => {
    const key = await loadServerKey();
    const serverKey = () => key;
    return await auditKeyChange(
      createAuditLog({ audit: storage.audit, clock, serverKey }),
      { ...attempt, actor: { kind: 'operator' } },
      (change) => work({ ...dependencies, serverKey, change }),
    );
  };

  const slugs = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await storage.workspaces.list()).map(({ id, slug }) => [id, slug]));

  const view = async (key: ApiKey): Promise<ApiKeyView> =>
    keyView(key, await slugs(), clock.nowMs());

  const workspaceId = async (namespace: string): Promise<string> => {
    const workspace = await storage.workspaces.findBySlug(namespace);
    if (workspace !== null) return workspace.id;
    throw new SandgateError('workspace_not_found', `Namespace '${namespace}' not found`);
  };

  /** What a filter names, by the ids that the store knows it by. */
  const reach = async ({
    namespace,
    key,
  }: {
    readonly namespace: string | undefined;
    readonly key: string | undefined;
  }) => ({
    ...(namespace === undefined ? {} : { workspaceId: await workspaceId(namespace) }),
    ...(key === undefined ? {} : { keyNumber: (await findKey(dependencies, key)).number }),
  });

  const limitsInForce = async (key: ApiKey): Promise<RequestLimits> => {
    const limitsOf = await dependencies.loadLimits();
    const workspace =
      key.workspaceId === null ? null : await storage.workspaces.findById(key.workspaceId);
    return limitsOf(
      narrowLineage([key, ...(await listAncestors(dependencies, key))])[0],
      workspace,
    );
  };

  return {
    async issueKey(request) {
      const { key, text } = await changeKey({ action: 'key.issue' }, (keyDependencies) =>
        issueKey(keyDependencies, request),
      );
      return { key: await view(key), text };
    },
    async mintChild(reference, request) {
      const parent = await findKey(dependencies, reference);
      const workspace =
        parent.workspaceId === null ? null : await storage.workspaces.findById(parent.workspaceId);
      if (workspace === null) {
        throw new SandgateError(
          'invalid_request',
          'A key of all namespaces has no children. Make a key of one namespace instead',
        );
      }
      const grantor = { caller: null, workspace, limitsOf: await dependencies.loadLimits() };
      const { key, text } = await changeKey({ action: 'key.mint' }, (keyDependencies) =>
        mintKey(keyDependencies, grantor, request, parent),
      );
      return { key: await view(key), text };
    },
    async listKeys({ namespace, state, search, parent, includeRevoked } = {}) {
      const filter = {
        nowMs: clock.nowMs(),
        ...(namespace === undefined
          ? {}
          : { workspaceId: namespace === '*' ? null : await workspaceId(namespace) }),
        ...(search === undefined ? {} : { search }),
        ...(parent === undefined
          ? {}
          : { parentNumber: (await findKey(dependencies, parent)).number }),
      };
      const found: ApiKey[] = [];
      const states =
        state === undefined && includeRevoked ? [undefined, 'revoked' as const] : [state];
      for (const each of states) {
        const query = each === undefined ? filter : { ...filter, state: each };
        for (let afterNumber = 0; ; ) {
          const { keys } = await storage.keys.page(query, { limit: keysAtOnce, afterNumber });
          found.push(...keys);
          const last = keys.at(-1);
          if (last === undefined || keys.length < keysAtOnce) break;
          afterNumber = last.number;
        }
      }
      const names = await slugs();
      return found
        .toSorted((one, other) => one.number - other.number)
        .map((key) => keyView(key, names, filter.nowMs));
    },
    async showKey(reference) {
      const key = await findKey(dependencies, reference);
      return { ...(await view(key)), limitsInForce: await limitsInForce(key) };
    },
    async updateKey(reference, update) {
      const attempt = {
        action: 'key.update',
        reference,
        details: { fields: Object.keys(update).join(', ') },
      } as const;
      return await view(
        await changeKey(attempt, async (keyDependencies) => {
          const key = await findKey(dependencies, reference);
          if (key.revokedAtMs !== null) {
            throw new SandgateError('key_revoked', 'This API key is revoked, and stays so');
          }
          const { expiresInMs, limits, restrictions, ...rest } = update;
          return await updateKey(keyDependencies, unbounded, key, {
            ...rest,
            ...(expiresInMs === undefined
              ? {}
              : { expiresAtMs: expiresInMs === null ? null : clock.nowMs() + expiresInMs }),
            ...(restrictions === undefined
              ? {}
              : { restrictions: changeRestrictions(key.restrictions, restrictions) }),
            ...(limits === undefined ? {} : { limits: changeLimits(key.limits, limits) }),
          });
        }),
      );
    },
    async revokeKey(reference) {
      return await view(
        await changeKey({ action: 'key.revoke', reference }, (keyDependencies) =>
          revokeKey(keyDependencies, reference),
        ),
      );
    },
    async rotateKey(reference, options) {
      const { key, text } = await changeKey(
        { action: 'key.rotate', reference, details: { overlapMs: options?.overlapMs ?? 0 } },
        (keyDependencies) => rotateKey(keyDependencies, reference, options),
      );
      return { key: await view(key), text };
    },
    async setKeyEnabled(reference, enabled) {
      const action = enabled ? 'key.enable' : 'key.disable';
      return await view(
        await changeKey({ action, reference }, (keyDependencies) =>
          setKeyEnabled(keyDependencies, reference, enabled),
        ),
      );
    },
    async listSandboxes(namespace) {
      const sandboxes = await storage.sandboxes.list(
        namespace === undefined ? undefined : await workspaceId(namespace),
      );
      const names = await slugs();
      return sandboxes.map((sandbox) => sandboxView(sandbox, names));
    },
    async counts() {
      const byState = await storage.sandboxes.countByState();
      const total = Object.entries(byState)
        .filter(([state]) => state !== 'destroyed')
        .reduce((sum, [, count]) => sum + count, 0);
      return {
        keys: await storage.keys.countLive(),
        sandboxes: { total, running: byState.ready ?? 0 },
      };
    },
    async *listUsage({ namespace, key, ...filter }, limit) {
      const names = await slugs();
      const within = { ...filter, ...(await reach({ namespace, key })) };
      let left = limit ?? Number.POSITIVE_INFINITY;
      let before: number | null = null;
      while (left > 0) {
        const { rows, nextBeforeId } = await storage.usage.list(within, {
          limit: Math.min(left, rowsAtOnce),
          ...(before === null ? {} : { beforeId: before }),
        });
        yield rows.map(({ workspaceId: id, ...row }) => ({ ...row, namespace: nameIn(names, id) }));
        if (nextBeforeId === null) return;
        before = nextBeforeId;
        left -= rows.length;
      }
    },
    async summarizeUsage({ namespace, key, ...times }, by) {
      return await storage.usage.summarize({ ...times, ...(await reach({ namespace, key })) }, by);
    },
    async listAudit({ namespace, key, ...filter }, limit) {
      const names = await slugs();
      const { entries } = await storage.audit.list(
        { ...filter, ...(await reach({ namespace, key })) },
        { limit },
      );
      return entries.map(({ workspaceId: id, previousHash: _, ...entry }) => ({
        ...entry,
        namespace: nameIn(names, id),
      }));
    },
    verifyAudit: async (anchor) =>
      await verifyAudit(storage.audit, {
        serverKey: await loadServerKey(),
        ...(anchor === undefined ? {} : { anchor }),
      }),
  };
}

/** The operator may give everything. */
const unbounded: Grantor = { caller: null, workspace: null, limitsOf: () => noLimits };

const nameIn = (slugs: ReadonlyMap<string, string>, id: string | null): string | null =>
  id === null ? null : (slugs.get(id) ?? id);

function changeLimits(
  limits: RequestLimitOverrides,
  changes: NonNullable<KeyUpdate['limits']>,
): RequestLimitOverrides {
  const changed = Object.entries({ ...limits, ...changes }).filter(([, limit]) => limit !== 'plan');
  return Object.fromEntries(changed);
}

const changeRestrictions = (
  restrictions: KeyRestrictions,
  changes: NonNullable<KeyUpdate['restrictions']>,
): KeyRestrictions =>
  Object.fromEntries(
    Object.entries({ ...restrictions, ...changes }).filter(([, value]) => value !== undefined),
  );

function sandboxView(sandbox: Sandbox, slugs: ReadonlyMap<string, string>): SandboxView {
  const { id, name, state, createdAtMs, updatedAtMs } = sandbox;
  return {
    id,
    namespace: slugs.get(sandbox.workspaceId) ?? sandbox.workspaceId,
    name,
    state,
    image: sandbox.definition.image,
    createdAtMs,
    updatedAtMs,
  };
}
