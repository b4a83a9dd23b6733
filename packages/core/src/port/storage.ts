import type { RecordChange } from '../audit/audited-change.ts';
import type { ApiKey, ApiKeySecret, KeyState } from '../key/api-key.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { AlertStore } from './alert-store.ts';
import type { AuditStore } from './audit-store.ts';
import type { Awaitable } from './awaitable.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { IdentityStore } from './identity-store.ts';
import type { ImageStore } from './image-store.ts';
import type { InvitationStore } from './invitation-store.ts';
import type { McpServerStore } from './mcp-server-store.ts';
import type { MemberStore } from './member-store.ts';
import type { OauthStore } from './oauth-store.ts';
import type { RegistryStore } from './registry-store.ts';
import type { SandboxStore } from './sandbox-store.ts';
import type { SessionStore } from './session-store.ts';
import type { SigningKeyStore } from './signing-key-store.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { TicketStore } from './ticket-store.ts';
import type { UsageStore } from './usage-store.ts';
import type { UserStore } from './user-store.ts';
import type { VolumeStore } from './volume-store.ts';
import type { WebhookStore } from './webhook-store.ts';

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

/** Which keys a page or a count is about. */
export interface KeyQuery {
  /** Absent: all workspaces. Null: only keys for every workspace. */
  readonly workspaceId?: string | null;
  /** Absent: every key that is not revoked. */
  readonly state?: KeyState;
  /** What name or description contains; ASCII letters match in either case. */
  readonly search?: string;
  /** Only children of this key. */
  readonly parentNumber?: number;
  /** By which clock a key is expired. */
  readonly nowMs: number;
}

export interface KeyPageRequest {
  readonly limit: number;
  /** Skips so many. Slow when it is large, unlike `afterNumber`. */
  readonly offset?: number;
  readonly afterNumber?: number;
}

/** What may be changed of a key that lives. What is absent stays as it is. */
export type KeyChanges = Partial<
  Pick<
    ApiKey,
    | 'name'
    | 'description'
    | 'enabled'
    | 'scopes'
    | 'expiresAtMs'
    | 'addressAllowList'
    | 'limits'
    | 'restrictions'
    | 'metadata'
  >
>;

/** A key that was found by one of its texts. */
export interface FoundKey {
  readonly key: ApiKey;
  /** The secret that was matched. */
  readonly secret: ApiKeySecret;
  /** Its parent, that one's parent, and so on. Revoked, disabled and expired ones are here too. */
  readonly ancestors: readonly ApiKey[];
}

export interface KeyRotation {
  /** Of the new text. */
  readonly lastFour: string;
  /** Until when older texts stay valid. Null: they go at once. An earlier end of theirs stands. */
  readonly overlapUntilMs: number | null;
  /** The `revision` of the key that the rotation was decided on. */
  readonly expectedRevision: number;
}

/** Every call of a key looks at each of its ancestors, so that a line of them must end somewhere. */
export const mostAncestors = 8;

export interface KeyStore {
  /**
   * Stores a key with its first secret, and gives it the next free number and revision 1. A number
   * is never given twice.
   * @throws SandgateError `server_key_mismatch` when the secret was made under a server key that is
   * not the current one, `workspace_not_found` when its workspace is not stored, `key_revoked` when
   * its parent is revoked or not stored, `sandbox_not_found` when it is restricted to a sandbox that
   * its workspace does not have, `invalid_request` when it would have more than
   * `mostAncestors`.
   */
  insert(
    key: Omit<ApiKey, 'number' | 'revision'>,
    secret: ApiKeySecret,
    record?: RecordChange<ApiKey>,
  ): Promise<ApiKey>;
  /**
   * The key that owns a digest. Null for the digest of a revoked key. Disabled and expired keys are
   * found, and so are texts whose overlap has ended: judging them is the caller's part. How often they
   * were used may be told as of earlier.
   */
  findByDigest(digest: Uint8Array): Awaitable<FoundKey | null>;
  /** Finds revoked keys too. */
  findById(id: string): Promise<ApiKey | null>;
  /** Finds revoked keys too. */
  findByNumber(number: number): Promise<ApiKey | null>;
  /** Oldest first, that is, by number. */
  list(filter: KeyFilter): Promise<readonly ApiKey[]>;
  /** Those that follow a person and are not revoked, oldest first. */
  listOfOwner(ownerId: string): Promise<readonly ApiKey[]>;
  /** Oldest first, with how many there are on all pages. */
  page(
    query: KeyQuery,
    page: KeyPageRequest,
  ): Promise<{ readonly keys: readonly ApiKey[]; readonly total: number }>;
  count(query: KeyQuery): Promise<number>;
  /**
   * False, and nothing changed, when the key is not at `expectedRevision` any more, is revoked, or
   * is not there.
   * @throws SandgateError `sandbox_not_found` as `insert` does
   */
  update(
    id: string,
    changes: KeyChanges,
    expectedRevision: number,
    record?: RecordChange,
  ): Promise<boolean>;
  /** False when there is no such key, or it is revoked. */
  setEnabled(id: string, enabled: boolean, record?: RecordChange): Promise<boolean>;
  /**
   * Final: removes the secrets of the key, and revokes its children with it. False when there is no such
   * key, or it is revoked already.
   */
  revoke(id: string, atMs: number, record?: RecordChange): Promise<boolean>;
  /**
   * Gives a key a new text in one step. False, and nothing changed, when the key is not at
   * `expectedRevision` any more (another rotation or change won), is revoked, or is not there.
   * @throws SandgateError `server_key_mismatch` as `insert` does.
   */
  rotate(
    id: string,
    secret: ApiKeySecret,
    rotation: KeyRotation,
    record?: RecordChange,
  ): Promise<boolean>;
  /** Keys that are not revoked. Those of an older server key were revoked when it was replaced. */
  countLive(): Promise<number>;
}

export interface ReplacedServerKey {
  readonly record: ServerKeyRecord;
  /** How many keys died with the one before. */
  readonly revokedKeys: number;
}

export interface ServerKeyStore {
  /** The newest server key, or null on a new server. */
  current(): Promise<ServerKeyRecord | null>;
  /**
   * Makes a new version current and revokes every key of the older ones. When that fingerprint is
   * current already nothing changes, so that two processes that start at once on one new server key
   * agree on its version.
   */
  replace(
    fingerprint: string,
    atMs: number,
    record?: RecordChange<ReplacedServerKey>,
  ): Promise<ReplacedServerKey>;
}

export interface ClosedWorkspace {
  readonly workspace: Workspace;
  readonly closedAtMs: number;
}

/** How many open workspaces a person may own, with the one that they get. Unbounded when left out. */
export interface OwnershipBound {
  readonly mostOwned?: number | undefined;
}

export interface WorkspaceStore {
  findBySlug(slug: string): Promise<Workspace | null>;
  findById(id: string): Awaitable<Workspace | null>;
  /** In lower case. */
  findByUuid(uuid: string): Promise<Workspace | null>;
  /** By slug, in the order of its ASCII characters. */
  list(): Promise<readonly Workspace[]>;
  /** Null when it is not stored. The plan that it has already changes nothing. */
  setPlan(id: string, plan: string, record?: RecordChange): Promise<Workspace | null>;
  /** The workspace of that slug, stored now if it was not there. */
  insertIfAbsent(workspace: Workspace, record?: RecordChange<Workspace>): Promise<Workspace>;
  /**
   * A new one, with its owner where it has one.
   * @throws SandgateError `workspace_exists` when the slug is taken, `quota_exceeded` when the owner has
   * as many as they may
   */
  insert(
    workspace: Workspace,
    ownerId: string | null,
    record?: RecordChange,
    bound?: OwnershipBound,
  ): Promise<void>;
  /** False when it is not there. */
  describe(
    id: string,
    changes: Pick<Workspace, 'name' | 'description' | 'updatedAtMs'>,
    record?: RecordChange,
  ): Promise<boolean>;
  /**
   * Final. Nothing finds it any more, its slug is free, its keys are revoked, its invitations gone.
   * False when it is not there.
   * @throws SandgateError `owner_conflict` when it is somebody's home
   */
  close(id: string, atMs: number, record?: RecordChange): Promise<boolean>;
  /** Closed, and not purged yet: the first to be closed first. */
  listClosed(): Promise<readonly ClosedWorkspace[]>;
  /** What it held is gone. */
  markPurged(id: string, atMs: number): Promise<void>;
}

/**
 * What Sandgate remembers. A method that takes a `record` asks for it when it has changed something,
 * and commits both in one transaction; what changes nothing records nothing. Every method resolves after its change is committed, and every read sees
 * what any process has committed before.
 * @throws SandgateError `storage_unavailable` when the store cannot answer.
 */
export interface Storage {
  readonly keys: KeyStore;
  readonly serverKeys: ServerKeyStore;
  readonly workspaces: WorkspaceStore;
  readonly sandboxes: SandboxStore;
  readonly snapshots: SnapshotStore;
  readonly volumes: VolumeStore;
  readonly idempotency: IdempotencyStore;
  readonly alerts: AlertStore;
  readonly audit: AuditStore;
  readonly webhooks: WebhookStore;
  readonly tickets: TicketStore;
  readonly usage: UsageStore;
  /**
   * Runs work that reads without waiting, as of one moment: what other processes have committed
   * before it began is seen, and what they commit while it runs need not be. So a store that keeps
   * what it has read asks once whether that still holds, and not for each read.
   */
  atOneMoment<Result>(work: () => Result): Result;
  readonly users: UserStore;
  readonly identities: IdentityStore;
  readonly invitations: InvitationStore;
  readonly images: ImageStore;
  readonly registries: RegistryStore;
  readonly mcpServers: McpServerStore;
  readonly members: MemberStore;
  readonly sessions: SessionStore;
  readonly signingKeys: SigningKeyStore;
  readonly oauth: OauthStore;
  /** May be called twice. Afterwards every method throws `storage_unavailable`. */
  close(): Promise<void>;
}
