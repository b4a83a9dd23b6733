import type { RecordChange, Workspace, WorkspaceStore } from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit } from './append-audit.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { Schema } from './schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

export class SqliteWorkspaceStore implements WorkspaceStore {
  readonly #connection: SqliteConnection;

  readonly #remembered: RememberedReads<Workspace>;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#remembered = new RememberedReads(connection);
  }

  async findBySlug(slug: string): Promise<Workspace | null> {
    return this.#findBy('slug', slug);
  }

  findById(id: string): Workspace | null {
    const remembered = this.#remembered.get(id);
    if (remembered !== undefined) return remembered;
    const found = this.#findBy('id', id);
    if (found !== null) this.#remembered.keep(id, found);
    return found;
  }

  async findByUuid(uuid: string): Promise<Workspace | null> {
    return this.#findBy('uuid', uuid);
  }

  async list(): Promise<readonly Workspace[]> {
    return this.#connection
      .all(this.#connection.queries.selectFrom('workspaces').selectAll().orderBy('slug'))
      .map(toWorkspace);
  }

  async insertIfAbsent(workspace: Workspace, record?: RecordChange<Workspace>): Promise<Workspace> {
    return this.#connection.transaction('full', () =>
      insertWorkspaceIfAbsent(this.#connection, workspace, record),
    );
  }

  #findBy(column: 'id' | 'uuid' | 'slug', value: string): Workspace | null {
    return findWorkspaceBy(this.#connection, column, value);
  }
}

function findWorkspaceBy(
  connection: SqliteConnection,
  column: 'id' | 'uuid' | 'slug',
  value: string,
): Workspace | null {
  const row = connection.first(
    connection.queries.selectFrom('workspaces').selectAll().where(column, '=', value),
  );
  return row === undefined ? null : toWorkspace(row);
}

/** Inside a transaction. The workspace of that slug, stored now if it was not there. */
export function insertWorkspaceIfAbsent(
  connection: SqliteConnection,
  workspace: Workspace,
  record?: RecordChange<Workspace>,
): Workspace {
  const inserted = connection.run(
    connection.queries
      .insertInto('workspaces')
      .values({
        id: workspace.id,
        uuid: workspace.uuid,
        slug: workspace.slug,
        name: workspace.name,
        plan: workspace.plan,
        created_at_ms: workspace.createdAtMs,
      })
      .onConflict((conflict) => conflict.column('slug').doNothing()),
  );
  if (inserted === 1 && record !== undefined) appendAudit(connection, record(workspace));
  return findWorkspaceBy(connection, 'slug', workspace.slug) ?? workspace;
}

export type WorkspaceRow = Selectable<Schema['workspaces']>;

export const toWorkspace = (row: WorkspaceRow): Workspace => ({
  id: row.id,
  uuid: row.uuid,
  slug: row.slug,
  name: row.name,
  plan: row.plan,
  createdAtMs: row.created_at_ms,
});
