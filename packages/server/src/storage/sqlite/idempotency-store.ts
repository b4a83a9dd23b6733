import type {
  IdempotencyClaim,
  IdempotencyScope,
  IdempotencyStore,
  StoredAnswer,
} from '@sandgate/core';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';

export class SqliteIdempotencyStore implements IdempotencyStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async begin(
    scope: IdempotencyScope,
    {
      fingerprint,
      nowMs,
      expiresAtMs,
    }: { readonly fingerprint: string; readonly nowMs: number; readonly expiresAtMs: number },
  ): Promise<IdempotencyClaim> {
    const { queries } = this.#connection;
    return this.#connection.transaction(this.#durability, () => {
      const known = this.#connection.first(
        queries
          .selectFrom('idempotent_requests')
          .select(['fingerprint', 'answer', 'expires_at_ms'])
          .where((column) => column.and(scope)),
      );
      if (known !== undefined && known.expires_at_ms > nowMs) {
        return known.answer === null
          ? { kind: 'running', fingerprint: known.fingerprint }
          : {
              kind: 'done',
              fingerprint: known.fingerprint,
              answer: JSON.parse(known.answer) as StoredAnswer,
            };
      }
      const claimed = { fingerprint, answer: null, expires_at_ms: expiresAtMs };
      this.#connection.run(
        queries
          .insertInto('idempotent_requests')
          .values({ ...scope, ...claimed })
          .onConflict((conflict) =>
            conflict.columns(['owner', 'method', 'path', 'key']).doUpdateSet(claimed),
          ),
      );
      return { kind: 'begun' };
    });
  }

  async finish(scope: IdempotencyScope, answer: StoredAnswer): Promise<void> {
    const finish = this.#connection.queries
      .updateTable('idempotent_requests')
      .set({ answer: JSON.stringify(answer) })
      .where((column) => column.and(scope));
    this.#connection.transaction(this.#durability, () => this.#connection.run(finish));
  }

  async abandon(scope: IdempotencyScope): Promise<void> {
    const abandon = this.#connection.queries
      .deleteFrom('idempotent_requests')
      .where((column) => column.and(scope))
      .where('answer', 'is', null);
    this.#connection.transaction(this.#durability, () => this.#connection.run(abandon));
  }

  async abandonAll(): Promise<number> {
    const abandon = this.#connection.queries
      .deleteFrom('idempotent_requests')
      .where('answer', 'is', null);
    return this.#connection.transaction(this.#durability, () => this.#connection.run(abandon));
  }

  async prune(nowMs: number, most: number): Promise<number> {
    const { queries } = this.#connection;
    const expired = queries
      .selectFrom('idempotent_requests')
      .select(['owner', 'method', 'path', 'key'])
      .where('expires_at_ms', '<=', nowMs)
      .orderBy('expires_at_ms')
      .limit(most);
    return this.#connection.transaction(this.#durability, () =>
      this.#connection
        .all(expired)
        .map((scope) =>
          this.#connection.run(
            queries.deleteFrom('idempotent_requests').where((column) => column.and(scope)),
          ),
        )
        .reduce((sum, removed) => sum + removed, 0),
    );
  }
}
