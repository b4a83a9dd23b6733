import type { Durability, PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { UsageSliceSums } from './usage-slice-sums.ts';
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

const mostKeys = (mostRows: number): number =>
  Math.max(fewestKeys, Math.ceil(mostRows / rowsForEachKey));

/** How far a slice of up to `mostRows` goes; null when there is no row. */
function lastOfFewKeys(rows: readonly RowOfKey[], mostRows: number): number | null {
  const most = mostKeys(mostRows);
  const keys = new Set<number>();
  let last: number | null = null;
  for (const { id, key_number } of rows) {
    keys.add(key_number);
    if (keys.size > most) break;
    last = id;
  }
  return last;
}

/**
 * Sums of usage, and the removal of rows that are old enough.
 *
 * Rows are summed in the order of their ids, whether their requests have ended or not, and the last
 * id is stored with the sums. A request that ends after its row was summed corrects the sums in the
 * transaction that stores its end. So each row counts once, no matter in which order requests end,
 * which process wrote them or when one is killed: a request that was cut off stays counted as a call
 * that did not succeed.
 */
export class UsageRollUp {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;
  readonly #progress: PreparedStatement<{ rolled_up_to: number }>;
  readonly #slice: PreparedStatement<{ last: number | null; rows: number; keys: number }>;
  readonly #next: PreparedStatement<RowOfKey>;
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

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
    this.#progress = connection.prepare('select rolled_up_to from usage_progress');
    const next = 'select id, key_number from usage_rows where id > ? order by id limit ?';
    this.#next = connection.prepare(next);
    this.#slice = connection.prepare(
      `select max(id) as last, count(*) as rows, count(distinct key_number) as keys from (${next})`,
    );
    this.#sums = new UsageSliceSums(connection);
    this.#index = connection.prepare(
      'update usage_rows set indexed = 1 where id > ?1 and id <= ?2',
    );
    this.#advance = connection.prepare('update usage_progress set rolled_up_to = ?');
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

  /** The last id that the sums hold. */
  rolledUpTo(): number {
    return this.#progress.get()?.rolled_up_to ?? 0;
  }

  /** @returns whether more rows are waiting */
  rollUp(mostRows: number): boolean {
    return this.#connection.addUsage(this.#durability, () => {
      const after = this.rolledUpTo();
      const slice = this.#slice.get(after, mostRows) ?? { last: null, rows: 0, keys: 0 };
      // Row by row only where there are too many keys: to hand over each one costs more than to read it.
      const last =
        slice.keys > mostKeys(mostRows)
          ? lastOfFewKeys(this.#next.all(after, mostRows), mostRows)
          : slice.last;
      if (last === null) return false;
      this.#sums.add(after, last);
      this.#index.run(after, last);
      this.#advance.run(last);
      // Rows that came meanwhile can wait for the next time.
      const wasFull = slice.rows === mostRows || last !== slice.last;
      return wasFull && this.#newestId() > last;
    });
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
      const rolledUpTo = Math.min(first + blockIds - 1, this.rolledUpTo());
      // The newest row stays, or its id would be given to the next one.
      const newest = this.#newestId();
      const old = this.#old.all(first, Math.min(rolledUpTo, newest - 1), beforeMs, mostRows);
      const last = lastOfFewKeys(old, mostRows);
      if (last !== null) this.#removeOld.run(first, last, beforeMs);
      if (old.length === mostRows || last !== (old.at(-1)?.id ?? null)) return true;
      this.#removeBlock.run(block.number);
      this.#putBlock.run(block.number, first, rolledUpTo);
      const next = this.#oldBlock.get(beforeMs);
      return next !== undefined && next.number !== block.number;
    });
  }

  #newestId(): number {
    return this.#newest.get()?.id ?? 0;
  }
}
