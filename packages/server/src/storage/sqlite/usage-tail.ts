import type { NewUsageRow } from '@sandgate/core';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';

/** One request that no roll-up has come to yet. */
interface TailRow {
  readonly id: number;
  readonly accepted: boolean;
  readonly atMs: number;
}

/** A stretch of ids, so that what is rolled up can be forgotten without looking at each row. */
interface Stretch {
  lastId: number;
  rows: number;
  readonly byKey: Map<number, TailRow[]>;
}

const rowsOfStretch = 2_048;

/**
 * The rows that are not rolled up yet, by key. They are in no index: to append a row costs a fraction
 * of finding its place among the rows of its key. So they are held in memory too, and those of other
 * processes are read when somebody asks.
 */
export class UsageTail {
  readonly #connection: SqliteConnection;
  readonly #bounds: PreparedStatement<{ rolled_up_to: number; newest: number | null }>;
  readonly #rows: PreparedStatement<{
    id: number;
    key_number: number;
    accepted: number;
    at_ms: number;
  }>;
  #stretches: Stretch[] = [];
  /** The last id that was looked at; null before the first. */
  #seenTo: number | null = null;

  #rolledUpTo = 0;
  /** Of the connection, when everything that is committed was known; null when something is not. */
  #knownVersion: number | null = null;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#bounds = connection.prepare(
      'select rolled_up_to, (select max(id) from usage_rows) as newest from usage_progress',
    );
    this.#rows = connection.prepare(
      'select id, key_number, accepted, at_ms from usage_rows where id > ? and id <= ? order by id',
    );
  }

  /**
   * Takes in what was committed, and forgets what was rolled up.
   * @returns the last id that is rolled up: what is told of ids after it is complete
   */
  refresh(): number {
    const { version } = this.#connection;
    if (version === this.#knownVersion) return this.#rolledUpTo;
    const { rolled_up_to: rolledUpTo = 0, newest = 0 } = this.#bounds.get() ?? {};
    this.#stretches = this.#stretches.filter(({ lastId }) => lastId > rolledUpTo);
    const seenTo = Math.max(this.#seenTo ?? 0, rolledUpTo);
    if (newest !== null && newest > seenTo) {
      for (const row of this.#rows.all(seenTo, newest)) {
        this.#add(row.key_number, { id: row.id, accepted: row.accepted === 1, atMs: row.at_ms });
      }
    }
    this.#seenTo = Math.max(seenTo, newest ?? 0);
    this.#rolledUpTo = rolledUpTo;
    this.#knownVersion = version;
    return rolledUpTo;
  }

  /** After a roll-up of this process, which the version does not tell of. */
  forget(rolledUpTo: number): void {
    this.#knownVersion = null;
    this.#stretches = this.#stretches.filter(({ lastId }) => lastId > rolledUpTo);
  }

  /** What this process has committed itself need not be read. */
  append(firstId: number, rows: readonly NewUsageRow[]): void {
    if (this.#seenTo !== firstId - 1) {
      // Nobody has asked yet, or another process has written meanwhile.
      this.#knownVersion = null;
      return;
    }
    for (const [index, { keyNumber, accepted, atMs }] of rows.entries()) {
      this.#add(keyNumber, { id: firstId + index, accepted, atMs });
    }
    this.#seenTo = firstId + rows.length - 1;
  }

  /** Of a key, with ids over `afterId`, in their order. */
  rowsOf(keyNumber: number, afterId: number): readonly TailRow[] {
    const found: TailRow[] = [];
    for (const { lastId, byKey } of this.#stretches) {
      if (lastId <= afterId) continue;
      for (const row of byKey.get(keyNumber) ?? []) if (row.id > afterId) found.push(row);
    }
    return found;
  }

  #add(keyNumber: number, row: TailRow): void {
    let stretch = this.#stretches.at(-1);
    if (stretch === undefined || stretch.rows >= rowsOfStretch) {
      stretch = { lastId: row.id, rows: 0, byKey: new Map() };
      this.#stretches.push(stretch);
    }
    stretch.lastId = row.id;
    stretch.rows += 1;
    const rows = stretch.byKey.get(keyNumber);
    if (rows === undefined) stretch.byKey.set(keyNumber, [row]);
    else rows.push(row);
  }
}
