import {
  type ApiKey,
  type ApiKeySecret,
  type Clock,
  type FoundKey,
  type KeyChanges,
  type KeyFilter,
  type KeyPageRequest,
  type KeyQuery,
  type KeyRotation,
  type KeyStore,
  mostAncestors,
  type RecordChange,
  SandgateError,
} from '@sandgate/core';
import { type Compilable, sql } from 'kysely';
import { appendAudit } from './append-audit.ts';
import { KeyCounts } from './key-counts.ts';
import { selectKeys } from './key-query.ts';
import { KeyRevocation } from './key-revocation.ts';
import { type KeyRow, toApiKey, toChangedColumns, toNewKeyRow, toSecretRow } from './key-row.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';
import { rolledUpTo, unsummedUse } from './unsummed-use.ts';
import type { UsageTail } from './usage-tail.ts';

interface FoundRow extends KeyRow {
  secret_digest: Uint8Array;
  secret_server_key_version: number;
  secret_created_at_ms: number;
  secret_valid_until_ms: number | null;
}

type KeyRowWithSums = KeyRow & { readonly rolled_up_to: number };

const lowestDigest = new Uint8Array(32);

const toFoundKey = (row: FoundRow, ancestors: readonly ApiKey[]): FoundKey => ({
  key: toApiKey(row),
  secret: {
    digest: row.secret_digest,
    keyId: row.id,
    serverKeyVersion: row.secret_server_key_version,
    createdAtMs: row.secret_created_at_ms,
    validUntilMs: row.secret_valid_until_ms,
  },
  ancestors,
});

interface RememberedKey {
  readonly found: FoundKey;
  /** When the first thing of it ends. */
  readonly endsAtMs: number;
}

const endOf = ({ key, secret, ancestors }: FoundKey): number =>
  Math.min(
    secret.validUntilMs ?? Number.POSITIVE_INFINITY,
    ...[key, ...ancestors].map(({ expiresAtMs }) => expiresAtMs ?? Number.POSITIVE_INFINITY),
  );

/** Changes of keys are on the disk before they are answered: a revoked key never comes back. */
export class SqliteKeyStore implements KeyStore {
  readonly #connection: SqliteConnection;
  readonly #tail: UsageTail;
  readonly #clock: Clock;
  /** By digest, which tells nobody the text. */
  readonly #remembered: RememberedReads<RememberedKey>;
  readonly #counts: KeyCounts;
  readonly #findByDigest: PreparedStatement<FoundRow>;
  readonly #parent: PreparedStatement<KeyRow>;
  readonly #revocation: KeyRevocation;

  constructor(connection: SqliteConnection, tail: UsageTail, clock: Clock) {
    this.#connection = connection;
    this.#tail = tail;
    this.#clock = clock;
    this.#remembered = new RememberedReads(connection);
    this.#counts = new KeyCounts(connection);
    this.#findByDigest = connection.prepare(`
      select api_keys.*,
        api_key_secrets.digest as secret_digest,
        api_key_secrets.server_key_version as secret_server_key_version,
        api_key_secrets.created_at_ms as secret_created_at_ms,
        api_key_secrets.valid_until_ms as secret_valid_until_ms
      from api_key_secrets cross join api_keys on api_keys.number = api_key_secrets.key_number
      where api_key_secrets.digest >= ? order by api_key_secrets.digest limit 1`);
    this.#parent = connection.prepare('select * from api_keys where number = ?');
    this.#revocation = new KeyRevocation(connection);
  }

  async insert(
    key: Omit<ApiKey, 'number' | 'revision'>,
    secret: ApiKeySecret,
    record?: RecordChange<ApiKey>,
  ): Promise<ApiKey> {
    const { queries } = this.#connection;
    return this.#connection.transaction('full', () => {
      this.#requireCurrentServerKey(secret);
      this.#requireLivingParent(key.parentNumber);
      this.#requireLivingSandbox(key);
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

  /**
   * Reads the secret that is nearest, whether or not it is the one: so a key that is there and
   * expired takes no longer to refuse than one that nobody has. For the same reason only living keys
   * are remembered: any other is read each time, like one that is not there.
   */
  findByDigest(digest: Uint8Array): FoundKey | null {
    const name = Buffer.from(digest).toString('latin1');
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) {
      if (remembered.endsAtMs > this.#clock.nowMs()) return remembered.found;
      this.#remembered.drop(name);
    }
    const row = this.#findByDigest.get(digest) ?? this.#findByDigest.get(lowestDigest);
    if (row === undefined) return null;
    const found = toFoundKey(row, this.#ancestorsOf(row));
    if (Buffer.compare(row.secret_digest, digest) !== 0) return null;
    const endsAtMs = endOf(found);
    if (endsAtMs > this.#clock.nowMs()) this.#remembered.keep(name, { found, endsAtMs });
    return found;
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
        .select(rolledUpTo)
        .where('number', '=', number),
    );
    return row === undefined ? null : this.#withUse(row);
  }

  async list({ workspaceId, includeRevoked = false }: KeyFilter): Promise<readonly ApiKey[]> {
    this.#tail.refresh();
    const all = this.#connection.queries
      .selectFrom('api_keys')
      .selectAll()
      .select(rolledUpTo)
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
      .select(rolledUpTo)
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
      .select(rolledUpTo)
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
      if (row !== undefined) this.#requireLivingSandbox({ ...toApiKey(row), ...changes });
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
      this.#requireCurrentServerKey(secret);
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
    require: () => void = () => undefined,
  ): boolean {
    return this.#connection.transaction('full', () => {
      require();
      if (this.#connection.run(update) !== 1) return false;
      if (record !== undefined) appendAudit(this.#connection, record());
      return true;
    });
  }

  /** The tail is refreshed before the row is read. */
  #withUse(row: KeyRowWithSums): ApiKey {
    return toApiKey(row, unsummedUse(this.#tail, row));
  }

  #ancestorsOf(row: KeyRow): readonly ApiKey[] {
    const ancestors: ApiKey[] = [];
    let { parent_number: parentNumber } = row;
    while (parentNumber !== null) {
      const parent = this.#parent.get(parentNumber);
      if (parent === undefined) break;
      ancestors.push(toApiKey(parent));
      parentNumber = parent.parent_number;
    }
    return ancestors;
  }

  /** A child of a key that was revoked meanwhile would live on by itself. */
  #requireLivingParent(number: number | null): void {
    if (number === null) return;
    const parent = this.#parent.get(number);
    if (parent === undefined || parent.revoked_at_ms !== null) {
      throw new SandgateError(
        'key_revoked',
        'The API key that this one would be a child of is revoked, and stays so',
      );
    }
    if (this.#ancestorsOf(parent).length < mostAncestors) return;
    throw new SandgateError(
      'invalid_request',
      `An API key has ${mostAncestors} ancestors at most. Make this one a child of a key higher up`,
    );
  }

  /** A key of a sandbox that was destroyed meanwhile would never die with it. */
  #requireLivingSandbox({
    workspaceId,
    restrictions: { sandboxId },
  }: Pick<ApiKey, 'workspaceId' | 'restrictions'>): void {
    if (sandboxId === undefined) return;
    const found = this.#connection.first(
      this.#connection.queries
        .selectFrom('sandboxes')
        .select(['workspace_id', 'state'])
        .where('id', '=', sandboxId),
    );
    const reached = workspaceId === null || found?.workspace_id === workspaceId;
    if (found !== undefined && found.state !== 'destroyed' && reached) return;
    throw new SandgateError('sandbox_not_found', `Sandbox '${sandboxId}' not found`);
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

  /**
   * A key that was being made while the server key was replaced would be stored as a living key
   * that no request can use.
   */
  #requireCurrentServerKey(secret: ApiKeySecret): void {
    const current = this.#connection.first(
      this.#connection.queries
        .selectFrom('server_keys')
        .select('version')
        .orderBy('version', 'desc')
        .limit(1),
    );
    if (current?.version === secret.serverKeyVersion) return;
    throw new SandgateError(
      'server_key_mismatch',
      'The server key was replaced while the API key was being made. Try again',
      {
        detail: `digest under version ${secret.serverKeyVersion}, current is ${current?.version ?? 'none'}`,
      },
    );
  }

  #rowById(id: string): KeyRowWithSums | undefined {
    this.#tail.refresh();
    return this.#connection.first(
      this.#connection.queries
        .selectFrom('api_keys')
        .selectAll()
        .select(rolledUpTo)
        .where('id', '=', id),
    );
  }

  #requireRow(id: string): KeyRowWithSums {
    const row = this.#rowById(id);
    if (row === undefined) throw new Error(`API key ${id} vanished while it was stored`);
    return row;
  }
}
