import {
  type Page,
  type PageRequest,
  SandgateError,
  type Volume,
  type VolumeFilter,
  type VolumeStore,
} from '@sandgate/core';
import type { Compilable, Selectable } from 'kysely';
import { beginsWith } from './match-text.ts';
import { type Chosen, readPage } from './read-page.ts';
import type { SandboxSchema } from './sandbox-schema.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';

/** Ends a transaction in which nothing may have happened. */
class NotFree extends Error {
  readonly volumeId: string;
  constructor(volumeId: string) {
    super('A volume is not free.');
    this.volumeId = volumeId;
  }
}

export class SqliteVolumeStore implements VolumeStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async insert(volume: Volume): Promise<void> {
    const insert = this.#connection.queries.insertInto('volumes').values({
      id: volume.id,
      workspace_id: volume.workspaceId,
      name: volume.name,
      size_mib: volume.sizeMib,
      state: volume.state,
      region: volume.region,
      attached_sandbox_id: volume.attachedSandboxId,
      guest_path: volume.guestPath,
      last_attached_at_ms: volume.lastAttachedAtMs,
      created_at_ms: volume.createdAtMs,
      updated_at_ms: volume.updatedAtMs,
    });
    try {
      this.#change(insert);
    } catch (error) {
      throw toInsertRefusal(error, volume.name);
    }
  }

  async setState(id: string, state: Volume['state'], atMs: number): Promise<boolean> {
    return this.#change(this.#one(id).set({ state, updated_at_ms: atMs })) > 0;
  }

  async attach(
    volumes: readonly { readonly volumeId: string; readonly guestPath: string }[],
    sandboxId: string,
    atMs: number,
  ): Promise<string | null> {
    if (volumes.length === 0) return null;
    try {
      this.#connection.transaction(this.#durability, () => {
        for (const { volumeId, guestPath } of volumes) {
          const attach = this.#one(volumeId)
            .where('state', '=', 'ready')
            .where((column) =>
              column.or([
                column('attached_sandbox_id', 'is', null),
                column('attached_sandbox_id', '=', sandboxId),
              ]),
            )
            .set({
              attached_sandbox_id: sandboxId,
              guest_path: guestPath,
              last_attached_at_ms: atMs,
              updated_at_ms: atMs,
            });
          if (this.#connection.run(attach) === 0) throw new NotFree(volumeId);
        }
      });
      return null;
    } catch (error) {
      if (error instanceof NotFree) return error.volumeId;
      throw error;
    }
  }

  async detach(sandboxId: string, atMs: number): Promise<readonly Volume[]> {
    const attached = this.#connection.queries
      .selectFrom('volumes')
      .select('id')
      .where('attached_sandbox_id', '=', sandboxId);
    // Most sandboxes have none, and need not wait for whoever is writing.
    if (this.#connection.first(attached) === undefined) return [];
    const detach = this.#connection.queries
      .updateTable('volumes')
      .set({ attached_sandbox_id: null, updated_at_ms: atMs })
      .where('attached_sandbox_id', '=', sandboxId)
      .returningAll();
    return this.#connection
      .transaction(this.#durability, () => this.#connection.all(detach))
      .map(toVolume);
  }

  async beginRemoval(id: string, atMs: number): Promise<boolean> {
    const begin = this.#one(id)
      .where('attached_sandbox_id', 'is', null)
      .set({ state: 'deleting', updated_at_ms: atMs });
    return this.#change(begin) > 0;
  }

  async remove(id: string): Promise<boolean> {
    return this.#change(this.#connection.queries.deleteFrom('volumes').where('id', '=', id)) > 0;
  }

  async findById(id: string): Promise<Volume | null> {
    return this.#first(this.#all().where('id', '=', id));
  }

  async findByName(workspaceId: string, name: string): Promise<Volume | null> {
    return this.#first(
      this.#all().where('workspace_id', '=', workspaceId).where('name', '=', name),
    );
  }

  async page(
    workspaceId: string,
    { attached, namePrefix }: VolumeFilter,
    page: PageRequest,
  ): Promise<Page<Volume>> {
    let chosen: Chosen<'volumes'> = this.#connection.queries
      .selectFrom('volumes')
      .where('workspace_id', '=', workspaceId);
    if (attached !== undefined) {
      chosen = chosen.where('attached_sandbox_id', attached ? 'is not' : 'is', null);
    }
    if (namePrefix !== undefined) chosen = chosen.where(beginsWith('name', namePrefix));
    return readPage(this.#connection, chosen, page, toVolume);
  }

  async list(): Promise<readonly Volume[]> {
    return this.#connection.all(this.#all().orderBy('id')).map(toVolume);
  }

  #one(id: string) {
    return this.#connection.queries.updateTable('volumes').where('id', '=', id);
  }

  #all() {
    return this.#connection.queries.selectFrom('volumes').selectAll();
  }

  #first(query: Compilable<VolumeRow>): Volume | null {
    const row = this.#connection.first(query);
    return row === undefined ? null : toVolume(row);
  }

  #change(query: Compilable<unknown>): number {
    return this.#connection.transaction(this.#durability, () => this.#connection.run(query));
  }
}

type VolumeRow = Selectable<SandboxSchema['volumes']>;

const toVolume = (row: VolumeRow): Volume => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  sizeMib: row.size_mib,
  state: row.state as Volume['state'],
  region: row.region,
  attachedSandboxId: row.attached_sandbox_id,
  guestPath: row.guest_path,
  lastAttachedAtMs: row.last_attached_at_ms,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

function toInsertRefusal(error: unknown, name: string): unknown {
  switch (sqliteCode(error)) {
    case constraint.unique:
      return new SandgateError('volume_exists', `A volume named "${name}" already exists`, {
        cause: error,
      });
    case constraint.foreignKey:
      return workspaceNotFound(error);
    default:
      return error;
  }
}
