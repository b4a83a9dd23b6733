import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import type { UsageTail } from './usage-tail.ts';
import { blockIds } from './usage-units.ts';

/** For so long the rows of a time are looked for from the same id on. */
const stretchMs = 60_000;
/** Widths of windows are few; more stretches than this are of the past. */
const mostStretches = 16;

/**
 * When a key and its descendants were accepted: one read of the index for each that was used since the
 * time that is asked for, no further back than that, and what the tail holds. It is the first thing
 * that a key's first call costs, so it reads nothing else.
 */
export class AcceptedTimes {
  readonly #tail: UsageTail;
  readonly #firstBlock: PreparedStatement<{ number: number | null }>;
  readonly #members: PreparedStatement<{ number: number; last_used_at_ms: number | null }>;
  readonly #times: PreparedStatement<{ times: string }>;
  /** By stretch of time: no row of a smaller id is as new, now or later. */
  readonly #firstIds = new Map<number, number>();

  constructor(connection: SqliteConnection, tail: UsageTail) {
    this.#tail = tail;
    this.#firstBlock = connection.prepare(
      'select min(number) as number from usage_blocks where max_at_ms >= ?',
    );
    this.#members = connection.prepare(`
      select number, last_used_at_ms from api_keys where number = ?1
      union all select number, last_used_at_ms from api_keys where parent_number = ?1`);
    // One row of text costs less than a row for each time.
    this.#times = connection.prepare(`select json_group_array(at_ms) as times from usage_rows
      where key_number = ?1 and accepted = 1 and indexed = 1 and id >= ?2 and id <= ?3
        and at_ms >= ?4`);
  }

  /** Oldest first, of the newest `most`. */
  of(keyNumber: number, sinceMs: number, most: number): readonly number[] {
    const rolledUpTo = this.#tail.refresh();
    const firstId = this.#firstId(sinceMs, rolledUpTo);
    const family = [keyNumber];
    const times: number[] = [];
    for (const number of family) {
      // A person has no row that would tell when they were here last.
      let lastUsedAtMs = Number.POSITIVE_INFINITY;
      for (const member of this.#members.all(number)) {
        if (member.number !== number) family.push(member.number);
        else lastUsedAtMs = member.last_used_at_ms ?? Number.NEGATIVE_INFINITY;
      }
      if (lastUsedAtMs >= sinceMs) {
        const stored = this.#times.get(number, firstId, rolledUpTo, sinceMs)?.times ?? '[]';
        for (const time of JSON.parse(stored) as number[]) times.push(time);
      }
      for (const { accepted, atMs } of this.#tail.rowsOf(number, rolledUpTo)) {
        if (accepted && atMs >= sinceMs) times.push(atMs);
      }
    }
    return times.sort((one, other) => one - other).slice(-most);
  }

  /**
   * Blocks of rolled-up rows never change, so that what was found for an earlier time holds. Of a block
   * that is only under way, rows as new may be missing still.
   */
  #firstId(sinceMs: number, rolledUpTo: number): number {
    const stretch = Math.floor(sinceMs / stretchMs);
    const known = this.#firstIds.get(stretch);
    if (known !== undefined) return known;
    const block = this.#firstBlock.get(stretch * stretchMs)?.number ?? null;
    const firstId = block === null ? rolledUpTo : Math.min(block * blockIds, rolledUpTo);
    if (this.#firstIds.size >= mostStretches) this.#firstIds.clear();
    this.#firstIds.set(stretch, firstId);
    return firstId;
  }
}
