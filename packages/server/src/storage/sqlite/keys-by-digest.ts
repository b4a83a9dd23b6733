import type { Clock, FoundKey } from '@sandgate/core';
import type { KeyAncestors } from './key-ancestors.ts';
import { type KeyRow, toApiKey } from './key-row.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';

interface FoundRow extends KeyRow {
  secret_digest: Uint8Array;
  secret_server_key_version: number;
  secret_created_at_ms: number;
  secret_valid_until_ms: number | null;
}

interface RememberedKey {
  readonly found: FoundKey;
  /** When the first thing of it ends. */
  readonly endsAtMs: number;
}

const lowestDigest = new Uint8Array(32);

/** What every check of a key begins with. Of living keys, what was read is remembered. */
export class KeysByDigest {
  readonly #clock: Clock;
  readonly #ancestors: KeyAncestors;
  /** By digest, which tells nobody the text. */
  readonly #remembered: RememberedReads<RememberedKey>;
  readonly #find: PreparedStatement<FoundRow>;

  constructor(connection: SqliteConnection, ancestors: KeyAncestors, clock: Clock) {
    this.#clock = clock;
    this.#ancestors = ancestors;
    this.#remembered = new RememberedReads(connection);
    this.#find = connection.prepare(`
      select api_keys.*,
        api_key_secrets.digest as secret_digest,
        api_key_secrets.server_key_version as secret_server_key_version,
        api_key_secrets.created_at_ms as secret_created_at_ms,
        api_key_secrets.valid_until_ms as secret_valid_until_ms
      from api_key_secrets cross join api_keys on api_keys.number = api_key_secrets.key_number
      where api_key_secrets.digest >= ? order by api_key_secrets.digest limit 1`);
  }

  /**
   * Reads the secret that is nearest, whether or not it is the one: so a key that is there and
   * expired takes no longer to refuse than one that nobody has. For the same reason only living keys
   * are remembered: any other is read each time, like one that is not there.
   */
  find(digest: Uint8Array): FoundKey | null {
    const name = Buffer.from(digest).toString('latin1');
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) {
      if (remembered.endsAtMs > this.#clock.nowMs()) return remembered.found;
      this.#remembered.drop(name);
    }
    const row = this.#find.get(digest) ?? this.#find.get(lowestDigest);
    if (row === undefined) return null;
    const found = toFoundKey(row, this.#ancestors.of(row));
    if (Buffer.compare(row.secret_digest, digest) !== 0) return null;
    const endsAtMs = endOf(found);
    if (endsAtMs > this.#clock.nowMs()) this.#remembered.keep(name, { found, endsAtMs });
    return found;
  }
}

const toFoundKey = (row: FoundRow, ancestors: FoundKey['ancestors']): FoundKey => ({
  key: toApiKey(row),
  secret: {
    digest: row.secret_digest,
    keyId: row.id,
    serverKeyVersion: row.secret_server_key_version,
    createdAtMs: row.secret_created_at_ms,
    validUntilMs: row.secret_valid_until_ms,
  },
  ancestors,
});

const endOf = ({ key, secret, ancestors }: FoundKey): number =>
  Math.min(
    secret.validUntilMs ?? Number.POSITIVE_INFINITY,
    ...[key, ...ancestors].map(({ expiresAtMs }) => expiresAtMs ?? Number.POSITIVE_INFINITY),
  );
