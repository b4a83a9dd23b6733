import {
  type Page,
  type PageRequest,
  SandgateError,
  type Snapshot,
  type SnapshotFacts,
  type SnapshotFilter,
  type SnapshotStore,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { beginsWith } from './match-text.ts';
import { type Chosen, readPage } from './read-page.ts';
import type { SandboxSchema } from './sandbox-schema.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';

export class SqliteSnapshotStore implements SnapshotStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async insert(snapshot: Snapshot): Promise<void> {
    const insert = this.#connection.queries.insertInto('snapshots').values({
      id: snapshot.id,
      workspace_id: snapshot.workspaceId,
      sandbox_id: snapshot.sandboxId,
      name: snapshot.name,
      template: snapshot.template,
      definition: JSON.stringify(snapshot.definition),
      automatic: snapshot.automatic ? 1 : 0,
      created_at_ms: snapshot.createdAtMs,
      ...toChangingColumns(snapshot),
    });
    try {
      this.#connection.transaction(this.#durability, () => this.#connection.run(insert));
    } catch (error) {
      throw toInsertRefusal(error, snapshot.name);
    }
  }

  async update(snapshot: Snapshot): Promise<boolean> {
    const update = this.#connection.queries
      .updateTable('snapshots')
      .set(toChangingColumns(snapshot))
      .where('id', '=', snapshot.id);
    return this.#connection.transaction(this.#durability, () => this.#connection.run(update)) > 0;
  }

  async remove(id: string): Promise<boolean> {
    const remove = this.#connection.queries.deleteFrom('snapshots').where('id', '=', id);
    return this.#connection.transaction(this.#durability, () => this.#connection.run(remove)) > 0;
  }

  async findById(id: string): Promise<Snapshot | null> {
    const row = this.#connection.first(
      this.#connection.queries.selectFrom('snapshots').selectAll().where('id', '=', id),
    );
    return row === undefined ? null : toSnapshot(row);
  }

  async page(
    workspaceId: string,
    { sandboxId, state, automatic, namePrefix }: SnapshotFilter,
    page: PageRequest,
  ): Promise<Page<Snapshot>> {
    let chosen: Chosen<'snapshots'> = this.#connection.queries
      .selectFrom('snapshots')
      .where('workspace_id', '=', workspaceId);
    if (sandboxId !== undefined) chosen = chosen.where('sandbox_id', '=', sandboxId);
    if (state !== undefined) chosen = chosen.where('state', '=', state);
    if (automatic !== undefined) chosen = chosen.where('automatic', '=', automatic ? 1 : 0);
    if (namePrefix !== undefined) chosen = chosen.where(beginsWith('name', namePrefix));
    return readPage(this.#connection, chosen, page, toSnapshot);
  }

  async list(): Promise<readonly Snapshot[]> {
    return this.#connection
      .all(this.#connection.queries.selectFrom('snapshots').selectAll().orderBy('id'))
      .map(toSnapshot);
  }
}

type SnapshotRow = Selectable<SandboxSchema['snapshots']>;

function toChangingColumns(
  snapshot: Snapshot,
): Pick<SnapshotRow, 'state' | 'size_bytes' | 'failure_reason' | 'expires_at_ms'> {
  return {
    state: snapshot.state,
    size_bytes: snapshot.state === 'ready' ? snapshot.sizeBytes : null,
    failure_reason: snapshot.state === 'failed' ? snapshot.failureReason : null,
    expires_at_ms: snapshot.expiresAtMs,
  };
}

function toSnapshot(row: SnapshotRow): Snapshot {
  const facts: SnapshotFacts = {
    id: row.id,
    workspaceId: row.workspace_id,
    sandboxId: row.sandbox_id,
    name: row.name,
    template: row.template,
    definition: JSON.parse(row.definition),
    automatic: row.automatic === 1,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
  if (row.size_bytes !== null) return { ...facts, state: 'ready', sizeBytes: row.size_bytes };
  if (row.failure_reason === null) return { ...facts, state: 'creating' };
  return { ...facts, state: 'failed', failureReason: row.failure_reason };
}

function toInsertRefusal(error: unknown, name: string): unknown {
  switch (sqliteCode(error)) {
    case constraint.unique:
      return new SandgateError(
        'snapshot_exists',
        `This sandbox has a snapshot named "${name}". Delete it, or choose another name`,
        { cause: error },
      );
    case constraint.foreignKey:
      return workspaceNotFound(error);
    default:
      return error;
  }
}
