import type { NewWebhookDelivery, WebhookDelivery, WebhookStore } from '@sandgate/core';
import { type Selectable, sql } from 'kysely';
import type { Schema } from './schema.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';

/** As text in the query: through a parameter SQLite cannot see that the partial index is meant. */
const pending = sql.lit('pending');

export class SqliteWebhookStore implements WebhookStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async insert(delivery: NewWebhookDelivery): Promise<void> {
    this.#connection.transaction(this.#durability, () =>
      insertDelivery(this.#connection, delivery),
    );
  }

  async claim(nowMs: number, untilMs: number, limit: number): Promise<readonly WebhookDelivery[]> {
    const due = this.#connection.queries
      .selectFrom('webhook_deliveries')
      .select('number')
      .where('state', '=', pending)
      .where('next_attempt_at_ms', '<=', nowMs)
      .orderBy('next_attempt_at_ms')
      .orderBy('number')
      .limit(limit);
    // Most rounds find nothing, and need not wait for whoever is writing.
    if (this.#connection.first(due) === undefined) return [];
    return this.#connection.transaction(this.#durability, () =>
      this.#connection.all(due).flatMap(({ number }) => {
        const row = this.#connection.first(
          this.#update(number)
            .set((column) => ({
              attempts: column('attempts', '+', 1),
              next_attempt_at_ms: untilMs,
            }))
            .returningAll(),
        );
        return row === undefined ? [] : [toDelivery(row)];
      }),
    );
  }

  async nextDueMs(): Promise<number | null> {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('webhook_deliveries')
        .select('next_attempt_at_ms')
        .where('state', '=', pending)
        .orderBy('next_attempt_at_ms')
        .limit(1),
    );
    return row?.next_attempt_at_ms ?? null;
  }

  async delivered(number: number, atMs: number): Promise<void> {
    const update = this.#update(number).set({
      state: 'delivered',
      last_error: null,
      ended_at_ms: atMs,
    });
    this.#connection.transaction(this.#durability, () => this.#connection.run(update));
  }

  async failed(
    number: number,
    failure: {
      readonly atMs: number;
      readonly error: string;
      readonly nextAttemptAtMs: number | null;
    },
  ): Promise<void> {
    const { atMs, error, nextAttemptAtMs } = failure;
    const update = this.#update(number).set(
      nextAttemptAtMs === null
        ? { last_error: error, state: 'failed', ended_at_ms: atMs }
        : { last_error: error, next_attempt_at_ms: nextAttemptAtMs },
    );
    this.#connection.transaction(this.#durability, () => this.#connection.run(update));
  }

  async list(
    workspaceId: string | undefined,
    limit: number,
    { state, beforeNumber }: Parameters<WebhookStore['list']>[2] = {},
  ): Promise<readonly WebhookDelivery[]> {
    let chosen = this.#connection.queries
      .selectFrom('webhook_deliveries')
      .selectAll()
      .orderBy('number', 'desc')
      .limit(limit);
    if (workspaceId !== undefined) chosen = chosen.where('workspace_id', '=', workspaceId);
    if (state !== undefined) chosen = chosen.where('state', '=', state);
    if (beforeNumber !== undefined) chosen = chosen.where('number', '<', beforeNumber);
    return this.#connection.all(chosen).map(toDelivery);
  }

  async prune(beforeMs: number, most: number): Promise<number> {
    const { queries } = this.#connection;
    const old = queries
      .selectFrom('webhook_deliveries')
      .select('number')
      .where('ended_at_ms', '<', beforeMs)
      .orderBy('number')
      .limit(most);
    return this.#connection.transaction(this.#durability, () =>
      this.#connection.run(queries.deleteFrom('webhook_deliveries').where('number', 'in', old)),
    );
  }

  /** Only while it is pending: an attempt that took too long does not undo how another one ended. */
  #update(number: number) {
    return this.#connection.queries
      .updateTable('webhook_deliveries')
      .where('number', '=', number)
      .where('state', '=', 'pending');
  }
}

/** Inside a transaction. */
export function insertDelivery(connection: SqliteConnection, delivery: NewWebhookDelivery): void {
  connection.run(
    connection.queries.insertInto('webhook_deliveries').values({
      id: delivery.id,
      workspace_id: delivery.workspaceId,
      webhook_id: delivery.webhookId,
      server_key_version: delivery.serverKeyVersion,
      url: delivery.url,
      body: delivery.body,
      state: 'pending',
      attempts: 0,
      next_attempt_at_ms: delivery.createdAtMs,
      last_error: null,
      created_at_ms: delivery.createdAtMs,
      ended_at_ms: null,
    }),
  );
}

const toDelivery = (row: Selectable<Schema['webhook_deliveries']>): WebhookDelivery => ({
  number: row.number,
  id: row.id,
  workspaceId: row.workspace_id,
  webhookId: row.webhook_id,
  serverKeyVersion: row.server_key_version,
  url: row.url,
  body: row.body,
  state: row.state as WebhookDelivery['state'],
  attempts: row.attempts,
  nextAttemptAtMs: row.next_attempt_at_ms,
  lastError: row.last_error,
  createdAtMs: row.created_at_ms,
  endedAtMs: row.ended_at_ms,
});
