import { familyOf } from './key-family.ts';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';

/** Revokes keys for good: without their secrets, nothing finds them any more. Inside a transaction. */
export class KeyRevocation {
  readonly #revoke: PreparedStatement<never>;
  readonly #removeSecrets: PreparedStatement<never>;
  readonly #ofSandbox: PreparedStatement<{ number: number }>;

  constructor(connection: SqliteConnection) {
    this.#revoke = connection.prepare(`${familyOf}
      update api_keys set revoked_at_ms = ?2, revision = revision + 1
      where number in family and revoked_at_ms is null`);
    this.#removeSecrets = connection.prepare(`${familyOf}
      delete from api_key_secrets where key_number in family`);
    // Written as in the index, or SQLite does not see that it will do.
    this.#ofSandbox = connection.prepare(`select number from api_keys
      where json_extract(restrictions, '$.sandboxId') = ? and revoked_at_ms is null`);
  }

  /** A key with its children, and theirs. */
  family(keyNumber: number, atMs: number): void {
    this.#revoke.run(keyNumber, atMs);
    this.#removeSecrets.run(keyNumber);
  }

  /** The keys that are restricted to a sandbox. */
  ofSandbox(sandboxId: string, atMs: number): void {
    for (const { number } of this.#ofSandbox.all(sandboxId)) this.family(number, atMs);
  }
}
