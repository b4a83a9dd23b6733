import { type Sandbox, type SandboxState, type SandboxStore, SandgateError } from '@sandgate/core';
import { type Compilable, sql } from 'kysely';
import { type SandboxRow, toSandbox, toStateColumns } from './sandbox-row.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode } from './storage-failure.ts';

/**
 * Written into the query's text: SQLite uses the partial index `sandboxes_living_name` only where it
 * can see that the condition is the same, which a parameter hides.
 */
const destroyed = sql.lit('destroyed');

/** States in which a sandbox has, or is about to have, a process. */
const runningStates: readonly SandboxState[] = [
  'starting',
  'ready',
  'pausing',
  'paused',
  'stopping',
];

export class SqliteSandboxStore implements SandboxStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
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

  async insert(sandbox: Sandbox): Promise<void> {
    const insert = this.#connection.queries.insertInto('sandboxes').values({
      id: sandbox.id,
      workspace_id: sandbox.workspaceId,
      name: sandbox.name,
      definition: JSON.stringify(sandbox.definition),
      created_at_ms: sandbox.createdAtMs,
      updated_at_ms: sandbox.updatedAtMs,
      ...toStateColumns(sandbox),
    });
    try {
      this.#connection.transaction(this.#durability, () => this.#connection.run(insert));
    } catch (error) {
      throw toInsertRefusal(error);
    }
  }

  async update(sandbox: Sandbox): Promise<void> {
    const update = this.#connection.queries
      .updateTable('sandboxes')
      .set({
        definition: JSON.stringify(sandbox.definition),
        updated_at_ms: sandbox.updatedAtMs,
        ...toStateColumns(sandbox),
      })
      .where('id', '=', sandbox.id)
      .where('state', '<>', 'destroyed');
    const updated = this.#connection.transaction(this.#durability, () =>
      this.#connection.run(update),
    );
    if (updated === 0) throw new SandgateError('sandbox_not_found', 'Sandbox not found');
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
      .set({ state: 'stopped', updated_at_ms: atMs })
      .where('state', 'in', runningStates);
    return this.#connection.transaction(this.#durability, () => this.#connection.run(update));
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

function toInsertRefusal(error: unknown): unknown {
  switch (sqliteCode(error)) {
    case constraint.unique:
      return new SandgateError(
        'sandbox_exists',
        'A sandbox of that name exists in this workspace. Use it, or choose another name',
        { cause: error },
      );
    case constraint.foreignKey:
      return new SandgateError('workspace_not_found', 'Workspace not found', { cause: error });
    default:
      return error;
  }
}
