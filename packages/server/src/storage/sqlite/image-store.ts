import {
  type ImageStore,
  type RecordChange,
  type SandboxImage,
  SandgateError,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit } from './append-audit.ts';
import type { SandboxSchema } from './sandbox-schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';

export class SqliteImageStore implements ImageStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async insert(
    image: SandboxImage,
    most: number,
    record?: RecordChange<SandboxImage>,
  ): Promise<void> {
    const { queries } = this.#connection;
    try {
      this.#connection.transaction('full', () => {
        if (this.#chosen(image.workspaceId).length >= most) throw tooMany(most);
        this.#makeRoom(image);
        this.#connection.run(
          queries.insertInto('images').values({
            id: image.id,
            workspace_id: image.workspaceId,
            created_at_ms: image.createdAtMs,
            ...toChangingColumns(image),
          }),
        );
        if (record !== undefined) appendAudit(this.#connection, record(image));
      });
    } catch (error) {
      if (sqliteCode(error) !== constraint.foreignKey) throw error;
      throw workspaceNotFound(error);
    }
  }

  async find(workspaceId: string | undefined, id: string): Promise<SandboxImage | null> {
    const named = this.#connection.queries.selectFrom('images').selectAll().where('id', '=', id);
    const row = this.#connection.first(
      workspaceId === undefined ? named : named.where('workspace_id', '=', workspaceId),
    );
    return row === undefined ? null : toImage(row);
  }

  async list(workspaceId: string): Promise<readonly SandboxImage[]> {
    return this.#chosen(workspaceId);
  }

  async update(image: SandboxImage, record?: RecordChange<SandboxImage>): Promise<boolean> {
    return this.#connection.transaction('full', () => {
      this.#makeRoom(image);
      const changed = this.#connection.run(
        this.#connection.queries
          .updateTable('images')
          .set(toChangingColumns(image))
          .where('workspace_id', '=', image.workspaceId)
          .where('id', '=', image.id),
      );
      if (changed > 0 && record !== undefined) appendAudit(this.#connection, record(image));
      return changed > 0;
    });
  }

  async remove(
    workspaceId: string,
    id: string,
    record?: RecordChange<SandboxImage>,
  ): Promise<boolean> {
    return this.#connection.transaction('full', () => {
      const image = this.#chosen(workspaceId).find((each) => each.id === id);
      if (image === undefined) return false;
      this.#connection.run(this.#connection.queries.deleteFrom('images').where('id', '=', id));
      if (record !== undefined) appendAudit(this.#connection, record(image));
      return true;
    });
  }

  /** A workspace has few of them. */
  #chosen(workspaceId: string): readonly SandboxImage[] {
    const chosen = this.#connection.queries
      .selectFrom('images')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .orderBy('id');
    return this.#connection.all(chosen).map(toImage);
  }

  /** There is one default of a workspace. */
  #makeRoom({ id, workspaceId, isDefault }: SandboxImage): void {
    if (!isDefault) return;
    this.#connection.run(
      this.#connection.queries
        .updateTable('images')
        .set({ is_default: 0 })
        .where('workspace_id', '=', workspaceId)
        .where('is_default', '=', 1)
        .where('id', '<>', id),
    );
  }
}

type ImageRow = Selectable<SandboxSchema['images']>;

const toChangingColumns = (
  image: SandboxImage,
): Omit<ImageRow, 'id' | 'workspace_id' | 'created_at_ms'> => ({
  name: image.name,
  image: image.image,
  tag: image.tag,
  description: image.description,
  enabled: image.enabled ? 1 : 0,
  is_default: image.isDefault ? 1 : 0,
  memory_mib: image.memoryMib,
  ttl_ms: image.ttlMs,
  registry_id: image.registryId,
  updated_at_ms: image.updatedAtMs,
});

const toImage = (row: ImageRow): SandboxImage => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  image: row.image,
  tag: row.tag,
  registryId: row.registry_id,
  description: row.description,
  enabled: row.enabled === 1,
  isDefault: row.is_default === 1,
  memoryMib: row.memory_mib,
  ttlMs: row.ttl_ms,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

const tooMany = (most: number): SandgateError =>
  new SandgateError('quota_exceeded', `A workspace has ${most} images at most. Remove one first`);
