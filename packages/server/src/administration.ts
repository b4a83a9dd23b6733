import {
  type ApiKey,
  type AuditHead,
  type AuditVerification,
  auditKeyChange,
  createAuditLog,
  findKey,
  type IssueKeyRequest,
  issueKey,
  type KeyDependencies,
  revokeKey,
  rotateKey,
  type Sandbox,
  SandgateError,
  setKeyEnabled,
  verifyAudit,
} from '@sandgate/core';

/** A key as its administrators see it: never its text. */
export interface ApiKeyView {
  readonly number: number;
  readonly id: string;
  readonly name: string;
  /** Slug of its workspace, or `*` for all. */
  readonly namespace: string;
  readonly scopes: readonly string[];
  readonly state: 'active' | 'disabled' | 'expired' | 'revoked';
  /** Prefix and last four characters, as in `msb_…a1b2`. */
  readonly display: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly usageCount: number;
}

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

/**
 * What an operator does on the machine itself. Works on the store directly, whether or not a server
 * runs on it: a server reads keys at every check and so sees each change at once.
 */
export interface Administration {
  issueKey(request: IssueKeyRequest): Promise<IssuedKeyView>;
  /** @throws SandgateError `workspace_not_found` */
  listKeys(filter?: {
    readonly namespace?: string;
    readonly includeRevoked?: boolean;
  }): Promise<readonly ApiKeyView[]>;
  /** `reference`: a key's number or its id. @throws SandgateError `key_not_found` */
  showKey(reference: string): Promise<ApiKeyView>;
  revokeKey(reference: string): Promise<ApiKeyView>;
  rotateKey(reference: string, options?: { readonly overlapMs?: number }): Promise<IssuedKeyView>;
  setKeyEnabled(reference: string, enabled: boolean): Promise<ApiKeyView>;
  listSandboxes(namespace?: string): Promise<readonly SandboxView[]>;
  counts(): Promise<Counts>;
  /** `anchor`: the head that an earlier verification gave, kept elsewhere. */
  verifyAudit(anchor?: AuditHead): Promise<AuditVerification>;
}

export function createAdministration(dependencies: KeyDependencies): Administration {
  const { storage, clock, serverKey } = dependencies;
  const auditLog = createAuditLog({ audit: storage.audit, clock, serverKey });
  const operator = { actor: { kind: 'operator' } } as const;

  const slugs = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await storage.workspaces.list()).map(({ id, slug }) => [id, slug]));

  const view = async (key: ApiKey): Promise<ApiKeyView> =>
    keyView(key, await slugs(), clock.nowMs());

  const workspaceId = async (namespace: string): Promise<string> => {
    const workspace = await storage.workspaces.findBySlug(namespace);
    if (workspace !== null) return workspace.id;
    throw new SandgateError('workspace_not_found', `Namespace '${namespace}' not found`);
  };

  return {
    async issueKey(request) {
      const { key, text } = await auditKeyChange(
        auditLog,
        { ...operator, action: 'key.issue' },
        () => issueKey(dependencies, request),
      );
      return { key: await view(key), text };
    },
    async listKeys({ namespace, includeRevoked } = {}) {
      const keys = await storage.keys.list({
        includeRevoked: includeRevoked ?? false,
        ...(namespace === undefined
          ? {}
          : { workspaceId: namespace === '*' ? null : await workspaceId(namespace) }),
      });
      const names = await slugs();
      return keys.map((key) => keyView(key, names, clock.nowMs()));
    },
    showKey: async (reference) => await view(await findKey(dependencies, reference)),
    async revokeKey(reference) {
      const attempt = { ...operator, action: 'key.revoke', reference } as const;
      return await view(
        await auditKeyChange(auditLog, attempt, () => revokeKey(dependencies, reference)),
      );
    },
    async rotateKey(reference, options) {
      const { key, text } = await auditKeyChange(
        auditLog,
        {
          ...operator,
          action: 'key.rotate',
          reference,
          details: { overlapMs: options?.overlapMs ?? 0 },
        },
        () => rotateKey(dependencies, reference, options),
      );
      return { key: await view(key), text };
    },
    async setKeyEnabled(reference, enabled) {
      const action = enabled ? 'key.enable' : 'key.disable';
      return await view(
        await auditKeyChange(auditLog, { ...operator, action, reference }, () =>
          setKeyEnabled(dependencies, reference, enabled),
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
    verifyAudit: (anchor) =>
      verifyAudit(storage.audit, {
        serverKey: serverKey(),
        ...(anchor === undefined ? {} : { anchor }),
      }),
  };
}

function keyView(key: ApiKey, slugs: ReadonlyMap<string, string>, nowMs: number): ApiKeyView {
  return {
    number: key.number,
    id: key.id,
    name: key.name,
    namespace: key.workspaceId === null ? '*' : (slugs.get(key.workspaceId) ?? key.workspaceId),
    scopes: key.scopes,
    state: keyState(key, nowMs),
    display: `${key.prefix}…${key.lastFour}`,
    createdAtMs: key.createdAtMs,
    expiresAtMs: key.expiresAtMs,
    lastUsedAtMs: key.lastUsedAtMs,
    usageCount: key.usageCount,
  };
}

function keyState(key: ApiKey, nowMs: number): ApiKeyView['state'] {
  if (key.revokedAtMs !== null) return 'revoked';
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return 'expired';
  return key.enabled ? 'active' : 'disabled';
}

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
