import {
  type ClosedWorkspace,
  type OwnershipBound,
  type RecordChange,
  SandgateError,
  type Workspace,
  type WorkspaceStore,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit, recordIfChanged } from './append-audit.ts';
import { KeyRevocation } from './key-revocation.ts';
import { requireRoomToOwn } from './owned-workspaces.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { Schema } from './schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

export class SqliteWorkspaceStore implements WorkspaceStore {
  readonly #connection: SqliteConnection;

  readonly #remembered: RememberedReads<Workspace>;
  readonly #revocation: KeyRevocation;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#remembered = new RememberedReads(connection);
    this.#revocation = new KeyRevocation(connection);
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
      .all(
        this.#connection.queries
          .selectFrom('workspaces')
          .selectAll()
          .where('closed_at_ms', 'is', null)
          .orderBy('slug'),
      )
      .map(toWorkspace);
  }

  async insertIfAbsent(workspace: Workspace, record?: RecordChange<Workspace>): Promise<Workspace> {
    return this.#connection.transaction('full', () =>
      insertWorkspaceIfAbsent(this.#connection, workspace, record),
    );
  }

  async insert(
    workspace: Workspace,
    ownerId: string | null,
    record?: RecordChange,
    bound: OwnershipBound = {},
  ): Promise<void> {
    this.#connection.transaction('full', () => {
      if (this.#findBy('slug', workspace.slug) !== null) {
        throw new SandgateError('workspace_exists', 'There is a workspace of that slug');
      }
      if (ownerId !== null) requireRoomToOwn(this.#connection, ownerId, bound);
      insertWorkspaceIfAbsent(this.#connection, workspace);
      if (ownerId !== null) {
        this.#connection.run(
          this.#connection.queries.insertInto('members').values({
            workspace_id: workspace.id,
            user_id: ownerId,
            role: 'owner',
            created_at_ms: workspace.createdAtMs,
          }),
        );
      }
      if (record !== undefined) appendAudit(this.#connection, record());
    });
  }

  async describe(
    id: string,
    { name, description, updatedAtMs }: Pick<Workspace, 'name' | 'description' | 'updatedAtMs'>,
    record?: RecordChange,
  ): Promise<boolean> {
    const update = this.#connection.queries
      .updateTable('workspaces')
      .set({ name, description, updated_at_ms: updatedAtMs })
      .where('id', '=', id)
      .where('closed_at_ms', 'is', null);
    return this.#connection.transaction('full', () =>
      recordIfChanged(this.#connection, this.#connection.run(update) === 1, record),
    );
  }

  async close(id: string, atMs: number, record?: RecordChange): Promise<boolean> {
    const { queries } = this.#connection;
    return this.#connection.transaction('full', () => {
      if (this.#findBy('id', id) === null) return false;
      const resident = this.#connection.first(
        queries.selectFrom('users').select('id').where('home_workspace_id', '=', id),
      );
      if (resident !== undefined) {
        throw new SandgateError('owner_conflict', 'This is the home of its owner, and stays');
      }
      const keys = queries
        .selectFrom('api_keys')
        .select('number')
        .where('workspace_id', '=', id)
        .where('revoked_at_ms', 'is', null);
      for (const { number } of this.#connection.all(keys)) this.#revocation.family(number, atMs);
      this.#connection.run(queries.deleteFrom('invitations').where('workspace_id', '=', id));
      this.#connection.run(
        queries
          .updateTable('workspaces')
          // No name has a tilde, so that nobody can take this one.
          .set({ closed_at_ms: atMs, slug: `~${id}` })
          .where('id', '=', id),
      );
      return recordIfChanged(this.#connection, true, record);
    });
  }

  async listClosed(): Promise<readonly ClosedWorkspace[]> {
    return this.#connection
      .all(
        this.#connection.queries
          .selectFrom('workspaces')
          .selectAll()
          .where('closed_at_ms', 'is not', null)
          .where('purged_at_ms', 'is', null)
          .orderBy('closed_at_ms'),
      )
      .map((row) => ({ workspace: toWorkspace(row), closedAtMs: row.closed_at_ms ?? 0 }));
  }

  async markPurged(id: string, atMs: number): Promise<void> {
    const update = this.#connection.queries
      .updateTable('workspaces')
      .set({ purged_at_ms: atMs })
      .where('id', '=', id)
      .where('closed_at_ms', 'is not', null);
    this.#connection.transaction('full', () => this.#connection.run(update));
  }

  async setPlan(id: string, plan: string, record?: RecordChange): Promise<Workspace | null> {
    const update = this.#connection.queries
      .updateTable('workspaces')
      .set({ plan })
      .where('id', '=', id)
      .where('plan', '<>', plan);
    return this.#connection.transaction('full', () => {
      recordIfChanged(this.#connection, this.#connection.run(update) === 1, record);
      return this.#findBy('id', id);
    });
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
    connection.queries
      .selectFrom('workspaces')
      .selectAll()
      .where(column, '=', value)
      .where('closed_at_ms', 'is', null),
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
      .values(toRow(workspace))
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
  description: row.description,
  createdBy: row.created_by,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

const toRow = (workspace: Workspace): WorkspaceRow => ({
  id: workspace.id,
  uuid: workspace.uuid,
  slug: workspace.slug,
  name: workspace.name,
  plan: workspace.plan,
  created_at_ms: workspace.createdAtMs,
  description: workspace.description,
  created_by: workspace.createdBy,
  updated_at_ms: workspace.updatedAtMs,
  closed_at_ms: null,
  purged_at_ms: null,
});

/** @throws SandgateError `workspace_not_found` when it is closed or not there */
export function requireOpenWorkspace(connection: SqliteConnection, id: string): void {
  if (findWorkspaceBy(connection, 'id', id) !== null) return;
  throw new SandgateError('workspace_not_found', 'Workspace not found');
}
