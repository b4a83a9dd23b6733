import {
  type RecordChange,
  type Registry,
  type RegistryStore,
  SandgateError,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit } from './append-audit.ts';
import type { SandboxSchema } from './sandbox-schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';

export class SqliteRegistryStore implements RegistryStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async insert(registry: Registry, most: number, record?: RecordChange<Registry>): Promise<void> {
    const { id, workspaceId, createdAtMs } = registry;
    try {
      this.#connection.transaction('full', () => {
        if (this.#chosen(workspaceId).length >= most) throw tooMany(most);
        this.#connection.run(
          this.#connection.queries.insertInto('registries').values({
            id,
            workspace_id: workspaceId,
            created_at_ms: createdAtMs,
            ...toChangingColumns(registry),
          }),
        );
        if (record !== undefined) appendAudit(this.#connection, record(registry));
      });
    } catch (error) {
      if (sqliteCode(error) !== constraint.foreignKey) throw error;
      throw workspaceNotFound(error);
    }
  }

  async find(workspaceId: string | undefined, id: string): Promise<Registry | null> {
    return this.#find(workspaceId, id);
  }

  async list(workspaceId: string): Promise<readonly Registry[]> {
    return this.#chosen(workspaceId);
  }

  async change(
    workspaceId: string,
    id: string,
    change: (stored: Registry) => Registry,
    record?: RecordChange<Registry>,
  ): Promise<Registry | null> {
    return this.#connection.transaction('full', () => {
      const stored = this.#find(workspaceId, id);
      if (stored === null) return null;
      const changed = change(stored);
      this.#connection.run(
        this.#connection.queries
          .updateTable('registries')
          .set(toChangingColumns(changed))
          .where('id', '=', id),
      );
      if (record !== undefined) appendAudit(this.#connection, record(changed));
      return changed;
    });
  }

  async remove(workspaceId: string, id: string, record?: RecordChange<Registry>): Promise<boolean> {
    return this.#connection.transaction('full', () => {
      const stored = this.#find(workspaceId, id);
      if (stored === null) return false;
      this.#connection.run(this.#connection.queries.deleteFrom('registries').where('id', '=', id));
      if (record !== undefined) appendAudit(this.#connection, record(stored));
      return true;
    });
  }

  #find(workspaceId: string | undefined, id: string): Registry | null {
    const named = this.#connection.queries
      .selectFrom('registries')
      .selectAll()
      .where('id', '=', id);
    const row = this.#connection.first(
      workspaceId === undefined ? named : named.where('workspace_id', '=', workspaceId),
    );
    return row === undefined ? null : toRegistry(row);
  }

  /** A workspace has few of them. */
  #chosen(workspaceId: string): readonly Registry[] {
    const chosen = this.#connection.queries
      .selectFrom('registries')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .orderBy('id');
    return this.#connection.all(chosen).map(toRegistry);
  }
}

type RegistryRow = Selectable<SandboxSchema['registries']>;

const toChangingColumns = (
  registry: Registry,
): Omit<RegistryRow, 'id' | 'workspace_id' | 'created_at_ms'> => ({
  name: registry.name,
  server: registry.server,
  allow_http: registry.allowHttp ? 1 : 0,
  username: registry.username,
  sealed_password: registry.sealedPassword.sealed,
  server_key_version: registry.sealedPassword.serverKeyVersion,
  email: registry.email,
  enabled: registry.enabled ? 1 : 0,
  updated_at_ms: registry.updatedAtMs,
});

const toRegistry = (row: RegistryRow): Registry => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  server: row.server,
  allowHttp: row.allow_http === 1,
  username: row.username,
  sealedPassword: {
    sealed: row.sealed_password,
    serverKeyVersion: row.server_key_version,
  },
  email: row.email,
  enabled: row.enabled === 1,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

const tooMany = (most: number): SandgateError =>
  new SandgateError(
    'quota_exceeded',
    `A workspace has ${most} registries at most. Remove one first`,
  );
