import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ErrorCode, UsageFilter, UsagePage, UsageRow } from '@sandgate/core';
import { type SelectQueryBuilder, sql } from 'kysely';
import type { Schema } from './schema.ts';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import type { UsageNames } from './usage-names.ts';
import { blockIds } from './usage-units.ts';

/** Rows looked at before other work of the process has its turn. */
const idsInTurn = 16_384;
const rowsOfKeyInTurn = 2_000;

/** Ids from `first` on, without `end`. */
interface IdRange {
  readonly first: number;
  readonly end: number;
  /** Its rows are in the index by key. */
  readonly indexed: boolean;
}

type Rows = SelectQueryBuilder<Schema, 'usage_rows' | 'usage_routes' | 'usage_workspaces', object>;

/**
 * The rows that a filter lets through, newest first. Those of a key are found by index. Others are
 * found by looking at every row of the asked time, a stretch of ids at a time with other work in
 * between: an index for each filter would cost every request more than rare look-ups are worth.
 */
export class UsageList {
  readonly #connection: SqliteConnection;
  readonly #names: UsageNames;
  readonly #bounds: PreparedStatement<{ rolled_up_to: number; newest: number | null }>;
  readonly #blocks: PreparedStatement<{ first: number | null; last: number | null }>;
  readonly #ofKey: PreparedStatement<{ first: number | null }>;

  constructor(connection: SqliteConnection, names: UsageNames) {
    this.#connection = connection;
    this.#names = names;
    this.#bounds = connection.prepare(
      'select rolled_up_to, (select max(id) from usage_rows) as newest from usage_progress',
    );
    this.#blocks = connection.prepare(`select min(number) as first, max(number) as last
      from usage_blocks where max_at_ms >= ? and min_at_ms < ?`);
    this.#ofKey = connection.prepare(`select min(id) as first from (
      select id from usage_rows
        where key_number = ?1 and accepted = 0 and indexed = 1 and id >= ?2 and id < ?3
      union all
      select id from usage_rows
        where key_number = ?1 and accepted = 1 and indexed = 1 and id >= ?2 and id < ?3
      order by id desc limit ${rowsOfKeyInTurn})`);
  }

  async list(
    filter: UsageFilter,
    { limit, beforeId }: { readonly limit: number; readonly beforeId?: number },
  ): Promise<UsagePage> {
    const chosen = this.#choose(filter);
    if (chosen === null) return { rows: [], nextBeforeId: null };
    const found: UsageRow[] = [];
    for (const range of this.#ranges(filter)) {
      let end = Math.min(range.end, beforeId ?? range.end);
      while (end > range.first && found.length <= limit) {
        const first = this.#turn(filter.keyNumber, { ...range, end });
        const rows = (range.indexed ? byIndex(chosen, filter) : chosen)
          .where('usage_rows.id', '>=', first)
          .where('usage_rows.id', '<', end)
          .orderBy('usage_rows.id', 'desc')
          .limit(limit + 1 - found.length);
        found.push(...this.#read(rows));
        end = first;
        if (end > range.first && found.length <= limit) await nextTurn();
      }
    }
    const rows = found.slice(0, limit);
    return { rows, nextBeforeId: found.length > limit ? (rows.at(-1)?.id ?? null) : null };
  }

  /** The lowest id of the stretch that is looked at next. */
  #turn(keyNumber: number | undefined, { first, end, indexed }: IdRange): number {
    if (keyNumber === undefined || !indexed) return Math.max(first, end - idsInTurn);
    return this.#ofKey.get(keyNumber, first, end)?.first ?? first;
  }

  /** Newest first: the rows that no block tells of yet, then those of the blocks of that time. */
  #ranges({ fromMs, toMs }: UsageFilter): readonly IdRange[] {
    const bounds = this.#bounds.get();
    const rolledUpTo = bounds?.rolled_up_to ?? 0;
    const tail = { first: rolledUpTo + 1, end: (bounds?.newest ?? 0) + 1, indexed: false };
    const blocks = this.#blocks.get(
      Math.ceil(fromMs ?? Number.MIN_SAFE_INTEGER),
      Math.ceil(toMs ?? Number.MAX_SAFE_INTEGER),
    );
    if (blocks === undefined || blocks.first === null || blocks.last === null) return [tail];
    const end = Math.min((blocks.last + 1) * blockIds, rolledUpTo + 1);
    return [tail, { first: blocks.first * blockIds, end, indexed: true }];
  }

  /** Null when nothing can be found. */
  #choose(filter: UsageFilter): Rows | null {
    const { workspaceId, keyNumber, endpoint, status, fromMs, toMs } = filter;
    const { queries } = this.#connection;
    let rows: Rows = queries
      .selectFrom('usage_rows')
      .innerJoin('usage_routes', 'usage_routes.number', 'usage_rows.route_number')
      .leftJoin('usage_workspaces', 'usage_workspaces.number', 'usage_rows.workspace_number');
    if (workspaceId !== undefined) {
      const number = this.#names.knownWorkspaceNumber(workspaceId);
      if (number === null) return null;
      rows = rows.where('workspace_number', '=', number);
    }
    if (keyNumber !== undefined) rows = rows.where('key_number', '=', keyNumber);
    if (endpoint !== undefined) {
      rows = rows.where(
        'route_number',
        'in',
        queries.selectFrom('usage_routes').select('number').where('endpoint', '=', endpoint),
      );
    }
    if (typeof status === 'number') rows = rows.where('status', '=', status);
    if (typeof status === 'string') {
      const hundred = Number(status[0]) * 100;
      rows = rows.where('status', '>=', hundred).where('status', '<', hundred + 100);
    }
    if (fromMs !== undefined) rows = rows.where('at_ms', '>=', fromMs);
    if (toMs !== undefined) rows = rows.where('at_ms', '<', toMs);
    return rows;
  }

  #read(rows: Rows): readonly UsageRow[] {
    const query = rows
      .selectAll('usage_rows')
      .select([
        'method',
        'endpoint',
        sql<string | null>`usage_workspaces.workspace_id`.as('workspace_id'),
      ]);
    return this.#connection.all(query).map((row) => ({
      id: row.id,
      keyNumber: row.key_number,
      workspaceId: row.workspace_id,
      requestId: row.request_id,
      method: row.method,
      endpoint: row.endpoint,
      status: row.status,
      accepted: row.accepted === 1,
      errorCode: row.error_code as ErrorCode | null,
      durationMs: row.duration_us / 1000,
      atMs: row.at_ms,
      sandboxId: row.sandbox_id,
    }));
  }
}

/** Spelled out, as SQLite has to see it: the index by key holds these rows, in this order. */
function byIndex(rows: Rows, { keyNumber }: UsageFilter): Rows {
  if (keyNumber === undefined) return rows;
  return rows.where(sql<boolean>`indexed = 1`).where('accepted', 'in', [0, 1]);
}
