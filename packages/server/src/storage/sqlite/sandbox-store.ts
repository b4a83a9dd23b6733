import {
  livingStates,
  type Page,
  type PageRequest,
  type Sandbox,
  type SandboxFilter,
  type SandboxState,
  type SandboxStore,
  SandgateError,
} from '@sandgate/core';
import { type Compilable, sql } from 'kysely';
import { KeyRevocation } from './key-revocation.ts';
import { beginsWith, contains } from './match-text.ts';
import { type Chosen, readPage } from './read-page.ts';
import { type SandboxRow, toChangingColumns, toSandbox } from './sandbox-row.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';

/**
 * Written into the query's text: SQLite uses the partial index `sandboxes_living_name` only where it
 * can see that the condition is the same, which a parameter hides.
 */
const destroyed = sql.lit('destroyed');

export class SqliteSandboxStore implements SandboxStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;
  readonly #revocation: KeyRevocation;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#revocation = new KeyRevocation(connection);
    this.#durability = durability;
  }

  async findByName(workspaceId: string, name: string): Promise<Sandbox | null> {
    return this.#first(
      this.#living().where('workspace_id', '=', workspaceId).where('name', '=', name),
    );
  }

  async findById(id: string): Promise<Sandbox | null> {
    return this.#first(
      this.#connection.queries.selectFrom('sandboxes').selectAll().where('id', '=', id),
    );
  }

  async list(workspaceId?: string): Promise<readonly Sandbox[]> {
    const all = this.#living().orderBy('name').orderBy('id');
    const chosen = workspaceId === undefined ? all : all.where('workspace_id', '=', workspaceId);
    return this.#connection.all(chosen).map(toSandbox);
  }

  async page(
    workspaceId: string,
    filter: SandboxFilter,
    page: PageRequest,
  ): Promise<Page<Sandbox>> {
    return readPage(this.#connection, this.#chosen(workspaceId, filter), page, toSandbox);
  }

  async insert(sandbox: Sandbox): Promise<void> {
    const insert = this.#connection.queries.insertInto('sandboxes').values({
      id: sandbox.id,
      workspace_id: sandbox.workspaceId,
      created_by_key: sandbox.createdByKey,
      created_at_ms: sandbox.createdAtMs,
      ...toChangingColumns(sandbox),
    });
    this.#change(insert);
  }

  async update(sandbox: Sandbox): Promise<void> {
    const update = this.#connection.queries
      .updateTable('sandboxes')
      .set(toChangingColumns(sandbox))
      .where('id', '=', sandbox.id)
      .where('state', '<>', 'destroyed');
    const stored = this.#change(update, () => {
      if (sandbox.state === 'destroyed') {
        this.#revocation.ofSandbox(sandbox.id, sandbox.destroyedAtMs);
      }
    });
    if (stored > 0) return;
    throw new SandgateError('sandbox_not_found', 'Sandbox not found');
  }

  async recordActivity(activity: ReadonlyMap<string, number>): Promise<void> {
    if (activity.size === 0) return;
    this.#connection.transaction(this.#durability, () => {
      for (const [id, atMs] of activity) {
        this.#connection.run(
          this.#connection.queries
            .updateTable('sandboxes')
            .set({ last_activity_at_ms: atMs })
            .where('id', '=', id)
            .where('last_activity_at_ms', '<', atMs),
        );
      }
    });
  }

  async countByState(): Promise<Readonly<Partial<Record<SandboxState, number>>>> {
    const rows = this.#connection.all(
      this.#connection.queries
        .selectFrom('sandboxes')
        .select(['state', (column) => column.fn.countAll<number>().as('sandboxes')])
        .groupBy('state'),
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.sandboxes]));
  }

  async markAllStopped(atMs: number): Promise<number> {
    const update = this.#connection.queries
      .updateTable('sandboxes')
      .set({ state: 'stopped', paused_at_ms: null, updated_at_ms: atMs })
      .where('state', 'in', livingStates);
    return this.#connection.transaction(this.#durability, () => this.#connection.run(update));
  }

  async prune(destroyedBeforeMs: number, most: number): Promise<readonly string[]> {
    const { queries } = this.#connection;
    const old = queries
      .selectFrom('sandboxes')
      .select('id')
      .where('destroyed_at_ms', '<', destroyedBeforeMs)
      .orderBy('destroyed_at_ms')
      .limit(most);
    return this.#connection.transaction(this.#durability, () => {
      const ids = this.#connection.all(old).map(({ id }) => id);
      for (const id of ids) {
        this.#connection.run(queries.deleteFrom('sandboxes').where('id', '=', id));
      }
      return ids;
    });
  }

  #chosen(workspaceId: string, filter: SandboxFilter): Chosen<'sandboxes'> {
    const { states, template, labels = {}, name, namePrefix, search, createdByKey } = filter;
    let chosen: Chosen<'sandboxes'> = this.#connection.queries
      .selectFrom('sandboxes')
      .where('workspace_id', '=', workspaceId);
    chosen =
      states === undefined
        ? chosen.where('state', '<>', destroyed)
        : chosen.where('state', 'in', states);
    if (template !== undefined) chosen = chosen.where('template', '=', template);
    if (name !== undefined) chosen = chosen.where('name', '=', name);
    if (namePrefix !== undefined) chosen = chosen.where(beginsWith('name', namePrefix));
    if (search !== undefined) chosen = chosen.where(contains('name', search));
    if (createdByKey !== undefined) chosen = chosen.where('created_by_key', '=', createdByKey);
    for (const [label, value] of Object.entries(labels)) {
      // The path in quotes: a label may hold dots.
      chosen = chosen.where(
        sql<boolean>`json_extract(labels, ${`$.${JSON.stringify(label)}`}) = ${value}`,
      );
    }
    return chosen;
  }

  /** With `along` in the same transaction, when there was something to change. */
  #change(query: Compilable<unknown>, along: () => void = () => undefined): number {
    try {
      return this.#connection.transaction(this.#durability, () => {
        const changed = this.#connection.run(query);
        if (changed > 0) along();
        return changed;
      });
    } catch (error) {
      throw toRefusal(error);
    }
  }

  #living() {
    return this.#connection.queries
      .selectFrom('sandboxes')
      .selectAll()
      .where('state', '<>', destroyed);
  }

  #first(query: Compilable<SandboxRow>): Sandbox | null {
    const row = this.#connection.first(query);
    return row === undefined ? null : toSandbox(row);
  }
}

function toRefusal(error: unknown): unknown {
  switch (sqliteCode(error)) {
    case constraint.unique:
      return new SandgateError(
        'sandbox_exists',
        'A sandbox of that name exists in this workspace. Use it, or choose another name',
        { cause: error },
      );
    case constraint.foreignKey:
      return workspaceNotFound(error);
    default:
      return error;
  }
}
