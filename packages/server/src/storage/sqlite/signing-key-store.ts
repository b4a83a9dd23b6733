import type { SigningKeyRecord, SigningKeyStore } from '@sandgate/core';
import type { SqliteConnection } from './sqlite-connection.ts';

export class SqliteSigningKeyStore implements SigningKeyStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async list(): Promise<readonly SigningKeyRecord[]> {
    return this.#connection
      .all(
        this.#connection.queries
          .selectFrom('signing_keys')
          .selectAll()
          .orderBy('created_at_ms', 'desc')
          .orderBy('id', 'desc'),
      )
      .map((row) => ({
        id: row.id,
        publicKey: row.public_key,
        sealedPrivateKey: row.sealed_private_key,
        serverKeyVersion: row.server_key_version,
        createdAtMs: row.created_at_ms,
      }));
  }

  async insert(key: SigningKeyRecord, unlessNewerThanMs: number): Promise<void> {
    const { queries } = this.#connection;
    this.#connection.transaction('full', () => {
      const newer = this.#connection.first(
        queries
          .selectFrom('signing_keys')
          .select('id')
          .where('server_key_version', '=', key.serverKeyVersion)
          .where('created_at_ms', '>', unlessNewerThanMs),
      );
      if (newer !== undefined) return;
      this.#connection.run(
        queries.insertInto('signing_keys').values({
          id: key.id,
          public_key: key.publicKey,
          sealed_private_key: key.sealedPrivateKey,
          server_key_version: key.serverKeyVersion,
          created_at_ms: key.createdAtMs,
        }),
      );
    });
  }

  async prune(serverKeyVersion: number, beforeMs: number): Promise<void> {
    const removal = this.#connection.queries
      .deleteFrom('signing_keys')
      .where((column) =>
        column.or([
          column('server_key_version', '<>', serverKeyVersion),
          column('created_at_ms', '<', beforeMs),
        ]),
      );
    this.#connection.transaction('full', () => this.#connection.run(removal));
  }
}
