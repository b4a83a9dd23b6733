import type {
  ApiKey,
  ApiKeySecret,
  Clock,
  FoundKey,
  KeyChanges,
  KeyFilter,
  KeyPageRequest,
  KeyQuery,
  KeyRotation,
  KeyStore,
  RecordChange,
} from '@sandgate/core';
import { type Compilable, sql } from 'kysely';
import { appendAudit } from './append-audit.ts';
import { KeyAncestors } from './key-ancestors.ts';
import { KeyCounts } from './key-counts.ts';
import { selectKeys } from './key-query.ts';
import { KeyRequirements } from './key-requirements.ts';
import { KeyRevocation } from './key-revocation.ts';
import { type KeyRow, toApiKey, toChangedColumns, toNewKeyRow, toSecretRow } from './key-row.ts';
import { KeysByDigest } from './keys-by-digest.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';
import { unsummedUse } from './unsummed-use.ts';
import { progressColumns, type UsageProgress } from './usage-progress.ts';
import type { UsageTail } from './usage-tail.ts';

type KeyRowWithSums = KeyRow & UsageProgress;

/** Changes of keys are on the disk before they are answered: a revoked key never comes back. */
export class SqliteKeyStore implements KeyStore {
  readonly #connection: SqliteConnection;
  readonly #tail: UsageTail;
  readonly #byDigest: KeysByDigest;
  readonly #counts: KeyCounts;
  readonly #require: KeyRequirements;
  readonly #revocation: KeyRevocation;

  constructor(connection: SqliteConnection, tail: UsageTail, clock: Clock) {
    const ancestors = new KeyAncestors(connection);
    this.#connection = connection;
    this.#tail = tail;
    this.#byDigest = new KeysByDigest(connection, ancestors, clock);
    this.#counts = new KeyCounts(connection);
    this.#require = new KeyRequirements(connection, ancestors);
    this.#revocation = new KeyRevocation(connection);
  }

  async insert(
    key: Omit<ApiKey, 'number' | 'revision'>,
    secret: ApiKeySecret,
    record?: RecordChange<ApiKey>,
  ): Promise<ApiKey> {
    const { queries } = this.#connection;
    return this.#connection.transaction('full', () => {
      this.#require.currentServerKey(secret);
      this.#require.livingParent(key.parentNumber);
      this.#require.livingSandbox(key);
      try {
        this.#connection.run(queries.insertInto('api_keys').values(toNewKeyRow(key)));
      } catch (error) {
        if (sqliteCode(error) !== constraint.foreignKey) throw error;
        throw workspaceNotFound(error);
      }
      const stored = this.#withUse(this.#requireRow(key.id));
      this.#connection.run(
        queries.insertInto('api_key_secrets').values(toSecretRow(secret, stored.number)),
      );
      if (record !== undefined) appendAudit(this.#connection, record(stored));
      return stored;
    });
  }

  findByDigest(digest: Uint8Array): FoundKey | null {
    return this.#byDigest.find(digest);
  }

  async findById(id: string): Promise<ApiKey | null> {
    const row = this.#rowById(id);
    return row === undefined ? null : this.#withUse(row);
  }

  async findByNumber(number: number): Promise<ApiKey | null> {
    this.#tail.refresh();
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('api_keys')
        .selectAll()
        .select(progressColumns)
        .where('number', '=', number),
    );
    return row === undefined ? null : this.#withUse(row);
  }

  async list({ workspaceId, includeRevoked = false }: KeyFilter): Promise<readonly ApiKey[]> {
    this.#tail.refresh();
    const all = this.#connection.queries
      .selectFrom('api_keys')
      .selectAll()
      .select(progressColumns)
      .orderBy('number');
    const living = includeRevoked ? all : all.where('revoked_at_ms', 'is', null);
    const chosen =
      workspaceId === undefined ? living : living.where('workspace_id', 'is', workspaceId);
    return this.#connection.all(chosen).map((row) => this.#withUse(row));
  }

  async listOfOwner(ownerId: string): Promise<readonly ApiKey[]> {
    this.#tail.refresh();
    const followers = this.#connection.queries
      .selectFrom('api_keys')
      .selectAll()
      .select(progressColumns)
      .where('owner_id', '=', ownerId)
      .where('follows_owner', '=', 1)
      .where('revoked_at_ms', 'is', null)
      .orderBy('number');
    return this.#connection.all(followers).map((row) => this.#withUse(row));
  }

  async page(
    query: KeyQuery,
    { limit, offset = 0, afterNumber = 0 }: KeyPageRequest,
  ): Promise<{ readonly keys: readonly ApiKey[]; readonly total: number }> {
    this.#tail.refresh();
    const rows = selectKeys(this.#connection.queries, query)
      .selectAll()
      .select(progressColumns)
      .where('number', '>', afterNumber)
      .orderBy('number')
      .limit(limit)
      .offset(offset);
    const keys = this.#connection.all(rows).map((row) => this.#withUse(row));
    return { keys, total: await this.count(query) };
  }

  async count(query: KeyQuery): Promise<number> {
    return this.#counts.count(query) ?? this.#countOneByOne(query);
  }

  async update(
    id: string,
    changes: KeyChanges,
    expectedRevision: number,
    record?: RecordChange,
  ): Promise<boolean> {
    const update = this.#connection.queries
      .updateTable('api_keys')
      .set((column) => ({ ...toChangedColumns(changes), revision: column('revision', '+', 1) }))
      .where('id', '=', id)
      .where('revision', '=', expectedRevision)
      .where('revoked_at_ms', 'is', null);
    return this.#changeOne(update, record, () => {
      const row = this.#rowById(id);
      if (row !== undefined) this.#require.livingSandbox({ ...toApiKey(row), ...changes });
    });
  }

  async setEnabled(id: string, enabled: boolean, record?: RecordChange): Promise<boolean> {
    const update = this.#connection.queries
      .updateTable('api_keys')
      .set((column) => ({ enabled: enabled ? 1 : 0, revision: column('revision', '+', 1) }))
      .where('id', '=', id)
      .where('revoked_at_ms', 'is', null);
    return this.#changeOne(update, record);
  }

  async revoke(id: string, atMs: number, record?: RecordChange): Promise<boolean> {
    return this.#connection.transaction('full', () => {
      const key = this.#rowById(id);
      if (key === undefined || key.revoked_at_ms !== null) return false;
      this.#revocation.family(key.number, atMs);
      if (record !== undefined) appendAudit(this.#connection, record());
      return true;
    });
  }

  async rotate(
    id: string,
    secret: ApiKeySecret,
    rotation: KeyRotation,
    record?: RecordChange,
  ): Promise<boolean> {
    const { queries } = this.#connection;
    return this.#connection.transaction('full', () => {
      const won = this.#connection.run(
        queries
          .updateTable('api_keys')
          .set((column) => ({
            last_four: rotation.lastFour,
            revision: column('revision', '+', 1),
          }))
          .where('id', '=', id)
          .where('revision', '=', rotation.expectedRevision)
          .where('revoked_at_ms', 'is', null),
      );
      if (won === 0) return false;
      this.#require.currentServerKey(secret);
      const { number } = this.#requireRow(id);
      this.#endOlderSecrets(number, secret.createdAtMs, rotation.overlapUntilMs);
      this.#connection.run(
        queries.insertInto('api_key_secrets').values(toSecretRow(secret, number)),
      );
      if (record !== undefined) appendAudit(this.#connection, record());
      return true;
    });
  }

  async countLive(): Promise<number> {
    return this.#counts.count({ nowMs: 0 }) ?? 0;
  }

  #countOneByOne(query: KeyQuery): number {
    const keys = selectKeys(this.#connection.queries, query);
    const counted = keys.select((column) => column.fn.countAll<number>().as('keys'));
    return this.#connection.first(counted)?.keys ?? 0;
  }

  #changeOne(
    update: Compilable<unknown>,
    record: RecordChange | undefined,
    requirement: () => void = () => undefined,
  ): boolean {
    return this.#connection.transaction('full', () => {
      requirement();
      if (this.#connection.run(update) !== 1) return false;
      if (record !== undefined) appendAudit(this.#connection, record());
      return true;
    });
  }

  /** The tail is refreshed before the row is read. */
  #withUse(row: KeyRowWithSums): ApiKey {
    return toApiKey(row, unsummedUse(this.#tail, row));
  }

  #endOlderSecrets(keyNumber: number, nowMs: number, overlapUntilMs: number | null): void {
    const { queries } = this.#connection;
    const older = queries.deleteFrom('api_key_secrets').where('key_number', '=', keyNumber);
    if (overlapUntilMs === null) {
      this.#connection.run(older);
      return;
    }
    // Texts whose own overlap has ended are of no use to anyone; without this they pile up.
    this.#connection.run(older.where('valid_until_ms', '<=', nowMs));
    this.#connection.run(
      queries
        .updateTable('api_key_secrets')
        .set({
          valid_until_ms: sql<number>`min(coalesce(valid_until_ms, ${overlapUntilMs}), ${overlapUntilMs})`,
        })
        .where('key_number', '=', keyNumber),
    );
  }

  #rowById(id: string): KeyRowWithSums | undefined {
    this.#tail.refresh();
    return this.#connection.first(
      this.#connection.queries
        .selectFrom('api_keys')
        .selectAll()
        .select(progressColumns)
        .where('id', '=', id),
    );
  }

  #requireRow(id: string): KeyRowWithSums {
    const row = this.#rowById(id);
    if (row === undefined) throw new Error(`API key ${id} vanished while it was stored`);
    return row;
  }
}
