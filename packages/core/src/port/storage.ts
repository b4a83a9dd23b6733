import type { ApiKey, ApiKeySecret } from '../key/api-key.ts';
import type { Sandbox, SandboxState } from '../sandbox/sandbox.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** A server key as it is known to the store: never its secret. */
export interface ServerKeyRecord {
  readonly version: number;
  readonly fingerprint: string;
  readonly createdAtMs: number;
}

export interface KeyFilter {
  /** Absent: all workspaces. Null: only keys for every workspace. */
  readonly workspaceId?: string | null;
  readonly includeRevoked?: boolean;
}

export interface KeyUse {
  readonly keyId: string;
  readonly count: number;
  readonly lastUsedAtMs: number;
}

export interface KeyStore {
  /** Stores a key with its first secret, and gives it the next free number. */
  insert(key: Omit<ApiKey, 'number'>, secret: ApiKeySecret): Promise<ApiKey>;
  /** The key that owns a digest, and the secret that was matched. */
  findByDigest(
    digest: Uint8Array,
  ): Promise<{ readonly key: ApiKey; readonly secret: ApiKeySecret } | null>;
  findById(id: string): Promise<ApiKey | null>;
  findByNumber(number: number): Promise<ApiKey | null>;
  /** Oldest first. */
  list(filter: KeyFilter): Promise<readonly ApiKey[]>;
  setEnabled(id: string, enabled: boolean): Promise<void>;
  /** Final: removes the key's secrets. False when it was revoked already. */
  revoke(id: string, atMs: number): Promise<boolean>;
  /**
   * Replaces a key's text in one step. Older secrets stay until `overlapUntilMs`, or go at once when
   * it is null. False when the key's revision is no longer `expectedRevision`: someone else changed it.
   */
  rotate(
    id: string,
    secret: ApiKeySecret,
    options: {
      readonly lastFour: string;
      readonly overlapUntilMs: number | null;
      readonly expectedRevision: number;
    },
  ): Promise<boolean>;
  /** Adds to the usage counts, in one transaction that is committed when this resolves. */
  recordUse(uses: readonly KeyUse[]): Promise<void>;
  /** Keys that are neither revoked nor bound to an older server key. */
  countLive(): Promise<number>;
}

export interface ServerKeyStore {
  /** The newest server key, or null on a new server. */
  current(): Promise<ServerKeyRecord | null>;
  /**
   * Makes a new version current and revokes every key of the older ones.
   * @returns the version and how many keys died.
   */
  replace(
    fingerprint: string,
    atMs: number,
  ): Promise<{ readonly record: ServerKeyRecord; readonly revokedKeys: number }>;
}

export interface WorkspaceStore {
  findBySlug(slug: string): Promise<Workspace | null>;
  findById(id: string): Promise<Workspace | null>;
  list(): Promise<readonly Workspace[]>;
  /** The workspace of that slug, stored now if it was not there. */
  insertIfAbsent(workspace: Workspace): Promise<Workspace>;
}

export interface SandboxStore {
  /** The sandbox of that name that is not destroyed. */
  findByName(workspaceId: string, name: string): Promise<Sandbox | null>;
  findById(id: string): Promise<Sandbox | null>;
  /** Not destroyed, by name. Absent workspace: all. */
  list(workspaceId?: string): Promise<readonly Sandbox[]>;
  insert(sandbox: Sandbox): Promise<void>;
  update(sandbox: Sandbox): Promise<void>;
  countByState(): Promise<Readonly<Partial<Record<SandboxState, number>>>>;
  /** After a crash nothing runs: every state that claims a process becomes `stopped`. Returns how many. */
  markAllStopped(atMs: number): Promise<number>;
}

/**
 * What Sandgate remembers. Every method resolves after its change is committed.
 * @throws SandgateError `storage_unavailable` when the store cannot answer.
 */
export interface Storage {
  readonly keys: KeyStore;
  readonly serverKeys: ServerKeyStore;
  readonly workspaces: WorkspaceStore;
  readonly sandboxes: SandboxStore;
  close(): Promise<void>;
}
