import type {
  RecordChange,
  ReplacedServerKey,
  ServerKeyRecord,
  ServerKeyStore,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit } from './append-audit.ts';
import type { Schema } from './schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

export class SqliteServerKeyStore implements ServerKeyStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async current(): Promise<ServerKeyRecord | null> {
    return this.#current();
  }

  async replace(
    fingerprint: string,
    atMs: number,
    record?: RecordChange<ReplacedServerKey>,
  ): Promise<ReplacedServerKey> {
    const { queries } = this.#connection;
    return this.#connection.transaction('full', () => {
      const previous = this.#current();
      if (previous?.fingerprint === fingerprint) return { record: previous, revokedKeys: 0 };
      const current = { version: (previous?.version ?? 0) + 1, fingerprint, createdAtMs: atMs };
      this.#connection.run(
        queries
          .insertInto('server_keys')
          .values({ version: current.version, fingerprint, created_at_ms: atMs }),
      );
      this.#connection.run(queries.deleteFrom('api_key_secrets'));
      const revokedKeys = this.#connection.run(
        queries
          .updateTable('api_keys')
          .set((column) => ({ revoked_at_ms: atMs, revision: column('revision', '+', 1) }))
          .where('revoked_at_ms', 'is', null),
      );
      const replaced = { record: current, revokedKeys };
      if (previous !== null && record !== undefined) {
        appendAudit(this.#connection, record(replaced));
      }
      return replaced;
    });
  }

  #current(): ServerKeyRecord | null {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('server_keys')
        .selectAll()
        .orderBy('version', 'desc')
        .limit(1),
    );
    return row === undefined ? null : toRecord(row);
  }
}

const toRecord = (row: Selectable<Schema['server_keys']>): ServerKeyRecord => ({
  version: row.version,
  fingerprint: row.fingerprint,
  createdAtMs: row.created_at_ms,
});
