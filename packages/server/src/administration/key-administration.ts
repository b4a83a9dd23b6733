import {
  type ApiKey,
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
  SandgateError,
  type ServerKey,
  setKeyEnabled,
  type UpdateKeyRequest,
  updateKey,
} from '@sandgate/core';
import { type ApiKeyDetails, type ApiKeyView, keyView } from './key-view.ts';
import { createNamespaces, workspaceOf } from './namespaces.ts';

const keysAtOnce = 10_000;

export interface IssuedKeyView {
  readonly key: ApiKeyView;
  /** Shown to its owner now, and never again. */
  readonly text: string;
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

export interface KeyAdministrationDependencies extends Omit<KeyDependencies, 'serverKey'> {
  /**
   * Asked for when a key is made or a record sealed, so that nothing else needs the secret.
   * @throws SandgateError `config_invalid`, `server_key_mismatch`
   */
  readonly loadServerKey: () => Promise<ServerKey>;
  /** Asked for when limits are shown or compared, so that nothing else needs a sound configuration. */
  readonly loadLimits: () => Promise<Grantor['limitsOf']>;
}

/** What an operator does to keys on the machine itself. */
export interface KeyAdministration {
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
}

export function createKeyAdministration(
  dependencies: KeyAdministrationDependencies,
): KeyAdministration {
  const { storage, clock, loadServerKey } = dependencies;
  const namespaces = createNamespaces(storage);

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

  const view = async (key: ApiKey): Promise<ApiKeyView> =>
    keyView(key, await namespaces.slugs(), clock.nowMs());

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
      const workspace = await workspaceOf(storage, parent);
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
          : { workspaceId: namespace === '*' ? null : await namespaces.idOf(namespace) }),
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
      const names = await namespaces.slugs();
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
  };
}

/** The operator may give everything. */
const unbounded: Grantor = { caller: null, workspace: null, limitsOf: () => noLimits };

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
