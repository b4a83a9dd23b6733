import type { Durability, PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { selectProgress, type UsageProgress } from './usage-progress.ts';
import { type SegmentPlace, UsageSegment } from './usage-segment.ts';
import { UsageSliceSums } from './usage-slice-sums.ts';
import type { UsageTail } from './usage-tail.ts';
import { blockIds, dayMs, hourMs } from './usage-units.ts';

/** What is known of a rolled-up row, to correct the sums when its request ends later. */
export interface RolledUpRow {
  readonly key_number: number;
  readonly workspace_number: number;
  readonly route_number: number;
  readonly at_ms: number;
}

interface Block {
  readonly number: number;
}

interface RowOfKey {
  readonly id: number;
  readonly key_number: number;
}

/**
 * Each key has pages of its own to read and write, so that a row of a further key costs tens of times
 * what another row of the same one does. A slice of rows takes so many keys at most, or one that was
 * found to be short on rows of few keys would be long on rows of many.
 */
const rowsForEachKey = 8;
const fewestKeys = 16;
const mostKeysOf = (mostRows: number): number =>
  Math.max(fewestKeys, Math.ceil(mostRows / rowsForEachKey));

/**
 * So many rows are gone through key by key where each key has some of them: then a key's pages are
 * written once for all of its rows. Where it has not, rows are taken as they come, since those that
 * came one after the other have pages in common themselves.
 */
const rowsOfSegment = 16_384;
const fewestRowsOfKey = 4;

const nothing: UsageProgress = { rolled_up_to: 0, rolling_to: 0, rolling_key: 0, rolling_id: 0 };

const placeOf = (progress: UsageProgress): SegmentPlace | null => {
  const { rolled_up_to, rolling_to, rolling_key: keyNumber, rolling_id: id } = progress;
  return rolling_to > rolled_up_to ? { keyNumber, id } : null;
};

/** How far a slice of up to `mostRows` goes; null when there is no row. */
function lastOfFewKeys(rows: readonly RowOfKey[], mostRows: number): number | null {
  const mostKeys = mostKeysOf(mostRows);
  const keys = new Set<number>();
  let last: number | null = null;
  for (const { id, key_number } of rows) {
    keys.add(key_number);
    if (keys.size > mostKeys) break;
    last = id;
  }
  return last;
}

/**
 * Sums of usage, and the removal of rows that are old enough.
 *
 * Rows are summed in the order of their ids, or stretch by stretch in that of their keys, whether their
 * requests have ended or not, and how far that has come is stored with the sums. A request that ends after its row was summed corrects the sums in the
 * transaction that stores its end. So each row counts once, no matter in which order requests end,
 * which process wrote them or when one is killed: a request that was cut off stays counted as a call
 * that did not succeed.
 */
export class UsageRollUp {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;
  readonly #tail: UsageTail;
  readonly #progress: PreparedStatement<UsageProgress>;
  readonly #slice: PreparedStatement<{ last: number | null; rows: number; keys: number }>;
  readonly #next: PreparedStatement<RowOfKey>;
  readonly #ids: PreparedStatement<{ ids: string }>;
  readonly #sums: UsageSliceSums;
  readonly #index: PreparedStatement<never>;
  readonly #advance: PreparedStatement<never>;
  readonly #newest: PreparedStatement<{ id: number | null }>;
  readonly #oldBlock: PreparedStatement<Block>;
  readonly #old: PreparedStatement<RowOfKey>;
  readonly #removeOld: PreparedStatement<never>;
  readonly #removeBlock: PreparedStatement<never>;
  readonly #putBlock: PreparedStatement<never>;
  readonly #corrections: readonly PreparedStatement<never>[];

  /** What is gone through key by key, as long as nobody else goes on with it. */
  #segment: UsageSegment | null = null;
  /** Up to here rows are taken as they come. */
  #asTheyComeTo = 0;

  constructor(connection: SqliteConnection, tail: UsageTail, durability: Durability) {
    this.#connection = connection;
    this.#tail = tail;
    this.#durability = durability;
    this.#progress = connection.prepare(selectProgress);
    const next = 'select id, key_number from usage_rows where id > ? order by id limit ?';
    this.#next = connection.prepare(next);
    this.#slice = connection.prepare(
      `select max(id) as last, count(*) as rows, count(distinct key_number) as keys from (${next})`,
    );
    this.#ids = connection.prepare(
      'select json_group_array(id) as ids from usage_rows where id > ? and id <= ?',
    );
    this.#sums = new UsageSliceSums(connection);
    this.#index = connection.prepare(
      'update usage_rows set indexed = 1 where id in (select value from json_each(?))',
    );
    this.#advance = connection.prepare(
      'update usage_progress set rolled_up_to = ?, rolling_to = ?, rolling_key = ?, rolling_id = ?',
    );
    this.#newest = connection.prepare('select max(id) as id from usage_rows');
    this.#oldBlock = connection.prepare(
      'select number from usage_blocks where min_at_ms < ? order by number limit 1',
    );
    this.#old = connection.prepare(`select id, key_number from usage_rows
      where id between ? and ? and at_ms < ? order by id limit ?`);
    this.#removeOld = connection.prepare(
      'delete from usage_rows where id between ? and ? and at_ms < ?',
    );
    this.#removeBlock = connection.prepare('delete from usage_blocks where number = ?');
    this.#putBlock = connection.prepare(`insert into usage_blocks
      select ?1, min(at_ms), max(at_ms) from usage_rows where id between ?2 and ?3
      having count(*) > 0`);
    // The casts are there because node:sqlite binds every number as a real one.
    const correction = 'set successes = successes + ?1, duration_us = duration_us + ?2';
    this.#corrections = [
      `update usage_key_hours ${correction} where key_number = ?3 and start_hour = cast(?4 as integer) / ${hourMs}
        and route_number = ?5 and workspace_number = ?6`,
      `update usage_hours ${correction} where workspace_number in (0, ?6)
        and start_hour = cast(?4 as integer) / ${hourMs} and route_number = ?5 and ?3 is not null`,
      `update usage_days ${correction} where workspace_number in (0, ?6)
        and start_day = cast(?4 as integer) / ${dayMs} and route_number = ?5 and ?3 is not null`,
    ].map((text) => connection.prepare(text));
  }

  /** What the sums hold. */
  progress(): UsageProgress {
    return this.#progress.get() ?? nothing;
  }

  /** @returns whether more rows are waiting */
  rollUp(mostRows: number): boolean {
    return this.#connection.addUsage(this.#durability, () => {
      // Also for what another process has written: segments are made of what the tail holds.
      this.#tail.refresh();
      const progress = this.progress();
      const segment = this.#segmentAfter(progress);
      if (segment === null) return this.#rollUpAsTheyCome(progress.rolled_up_to, mostRows);
      return this.#rollUpByKey(segment, progress, mostRows);
    });
  }

  #rollUpAsTheyCome(after: number, mostRows: number): boolean {
    const slice = this.#slice.get(after, mostRows) ?? { last: null, rows: 0, keys: 0 };
    // Row by row only where there are too many keys: to hand over each one costs more than to read it.
    const last =
      slice.keys > mostKeysOf(mostRows)
        ? lastOfFewKeys(this.#next.all(after, mostRows), mostRows)
        : slice.last;
    if (last === null) return false;
    this.#sum(this.#ids.get(after, last)?.ids ?? '[]');
    this.#advance.run(last, 0, 0, 0);
    // Rows that came meanwhile can wait for the next time.
    const wasFull = slice.rows === mostRows || last !== slice.last;
    return wasFull && this.#newestId() > last;
  }

  #rollUpByKey(segment: UsageSegment, progress: UsageProgress, mostRows: number): boolean {
    const { afterId, toId } = segment;
    const { ids, end, isLast } = segment.slice(placeOf(progress), {
      mostRows,
      mostKeys: mostKeysOf(mostRows),
    });
    this.#sum(JSON.stringify(ids));
    if (!isLast) {
      this.#advance.run(afterId, toId, end.keyNumber, end.id);
      return true;
    }
    this.#advance.run(toId, 0, 0, 0);
    return this.#newestId() - toId >= rowsOfSegment;
  }

  /** Null where the next rows are better taken as they come. */
  #segmentAfter({ rolled_up_to: afterId, rolling_to }: UsageProgress): UsageSegment | null {
    const underWay = rolling_to > afterId;
    if (!underWay && afterId < this.#asTheyComeTo) return null;
    const known = this.#segment;
    if (underWay && known?.afterId === afterId && known.toId === rolling_to) return known;
    const { byKey, rows, lastId } = this.#tail.idsByKey(afterId, {
      toId: underWay ? rolling_to : Number.POSITIVE_INFINITY,
      most: underWay ? Number.POSITIVE_INFINITY : rowsOfSegment,
    });
    const inOrder = byKey.size === 1;
    if (!underWay && (inOrder || rows < byKey.size * fewestRowsOfKey)) {
      this.#asTheyComeTo = lastId;
      return null;
    }
    this.#segment = rows === 0 ? null : new UsageSegment(afterId, lastId, byKey);
    return this.#segment;
  }

  /** `ids`: as JSON. */
  #sum(ids: string): void {
    this.#sums.add(ids);
    this.#index.run(ids);
  }

  /** Inside the transaction that stores the end of a request. */
  correct(row: RolledUpRow, success: boolean, durationUs: number): void {
    for (const correction of this.#corrections) {
      correction.run(
        success ? 1 : 0,
        durationUs,
        row.key_number,
        row.at_ms,
        row.route_number,
        row.workspace_number,
      );
    }
  }

  /** @returns whether more old rows are left */
  prune(beforeMs: number, mostRows: number): boolean {
    return this.#connection.addUsage(this.#durability, () => {
      const block = this.#oldBlock.get(beforeMs);
      if (block === undefined) return false;
      const first = block.number * blockIds;
      const rolledUpTo = Math.min(first + blockIds - 1, this.progress().rolled_up_to);
      // The newest row stays, or its id would be given to the next one.
      const newest = this.#newestId();
      const old = this.#old.all(first, Math.min(rolledUpTo, newest - 1), beforeMs, mostRows);
      const last = lastOfFewKeys(old, mostRows);
      if (last !== null) this.#removeOld.run(first, last, beforeMs);
      if (old.length === mostRows || last !== (old.at(-1)?.id ?? null)) return true;
      this.#removeBlock.run(block.number);
      // With the rows that are not rolled up: some of them may be in it already.
      this.#putBlock.run(block.number, first, first + blockIds - 1);
      const next = this.#oldBlock.get(beforeMs);
      return next !== undefined && next.number !== block.number;
    });
  }

  #newestId(): number {
    return this.#newest.get()?.id ?? 0;
  }
}
