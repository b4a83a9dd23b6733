import type { Clock, OauthRecord, OauthStore } from '@sandgate/core';
import type { Selectable } from 'kysely';
import type { PeopleSchema } from './people-schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

type Row = Selectable<PeopleSchema['oauth_records']>;

/** What was used or taken back is on the disk before it is answered: it never comes back. */
export class SqliteOauthStore implements OauthStore {
  readonly #connection: SqliteConnection;
  readonly #clock: Clock;

  constructor(connection: SqliteConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async put(record: OauthRecord): Promise<void> {
    const values = {
      kind: record.kind,
      id: record.id,
      grant_id: record.grantId,
      user_id: record.userId,
      payload: record.payload,
      expires_at_ms: record.expiresAtMs,
      consumed_at_ms: record.consumedAtMs,
    };
    const { kind, id, ...changed } = values;
    this.#change(
      this.#connection.queries
        .insertInto('oauth_records')
        .values({ ...values, created_at_ms: this.#clock.nowMs() })
        .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(changed)),
    );
  }

  async find(kind: string, id: string): Promise<OauthRecord | null> {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('oauth_records')
        .selectAll()
        .where('kind', '=', kind)
        .where('id', '=', id),
    );
    return row === undefined ? null : toRecord(row);
  }

  async listOfUser(kind: string, userId: string): Promise<readonly OauthRecord[]> {
    const rows = this.#connection.queries
      .selectFrom('oauth_records')
      .selectAll()
      .where('user_id', '=', userId)
      .where('kind', '=', kind)
      .orderBy('created_at_ms')
      .orderBy('id');
    return this.#connection.all(rows).map(toRecord);
  }

  async count(kind: string, afterMs: number, untilMs: number): Promise<number> {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('oauth_records')
        .select(({ fn }) => fn.countAll<number>().as('records'))
        .where('kind', '=', kind)
        .where('expires_at_ms', '>', afterMs)
        .where('expires_at_ms', '<=', untilMs),
    );
    return row?.records ?? 0;
  }

  async consume(kind: string, id: string, atMs: number): Promise<boolean> {
    return (
      this.#change(
        this.#connection.queries
          .updateTable('oauth_records')
          .set({ consumed_at_ms: atMs })
          .where('kind', '=', kind)
          .where('id', '=', id)
          .where('consumed_at_ms', 'is', null),
      ) > 0
    );
  }

  async keepUntil(kind: string, id: string, expiresAtMs: number): Promise<void> {
    this.#change(
      this.#connection.queries
        .updateTable('oauth_records')
        .set({ expires_at_ms: expiresAtMs })
        .where('kind', '=', kind)
        .where('id', '=', id),
    );
  }

  async remove(kind: string, id: string): Promise<void> {
    this.#change(
      this.#connection.queries
        .deleteFrom('oauth_records')
        .where('kind', '=', kind)
        .where('id', '=', id),
    );
  }

  async removeOfGrant(kind: string, grantId: string): Promise<void> {
    this.#change(
      this.#connection.queries
        .deleteFrom('oauth_records')
        .where('grant_id', '=', grantId)
        .where('kind', '=', kind),
    );
  }

  async prune(beforeMs: number, most: number): Promise<boolean> {
    const { queries } = this.#connection;
    const ended = queries
      .selectFrom('oauth_records')
      .select(['kind', 'id'])
      .where('expires_at_ms', '<', beforeMs)
      .limit(most);
    const removed = this.#change(
      queries
        .deleteFrom('oauth_records')
        .where(({ eb, refTuple }) =>
          eb(refTuple('kind', 'id'), 'in', ended.$asTuple('kind', 'id')),
        ),
    );
    return removed === most;
  }

  #change(query: Parameters<SqliteConnection['run']>[0]): number {
    return this.#connection.transaction('full', () => Number(this.#connection.run(query)));
  }
}

const toRecord = (row: Row): OauthRecord => ({
  kind: row.kind,
  id: row.id,
  grantId: row.grant_id,
  userId: row.user_id,
  payload: row.payload,
  expiresAtMs: row.expires_at_ms,
  consumedAtMs: row.consumed_at_ms,
});
