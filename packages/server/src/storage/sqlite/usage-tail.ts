import type { NewUsageRow } from '@sandgate/core';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { type TailRow, TailStretch } from './usage-tail-stretch.ts';

/**
 * A stretch is forgotten when all of it is rolled up. Few and long ones, since each is looked into for
 * every key.
 */
const rowsOfStretch = 16_384;
/** Rows of other processes, or of a process before this one, are read so many at once. */
const rowsOfRead = 4_096;

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
  #stretches: TailStretch[] = [];
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
      'select id, key_number, accepted, at_ms from usage_rows where id > ? and id <= ? order by id limit ?',
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
    this.#seenTo = seenTo;
    while (newest !== null && newest > this.#seenTo) this.#seenTo = this.#read(newest);
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

  /** Of a key, with ids over `afterId`. */
  rowsOf(keyNumber: number, afterId: number): readonly TailRow[] {
    const found: TailRow[] = [];
    for (const stretch of this.#stretches) {
      if (stretch.lastId > afterId) stretch.collect(keyNumber, afterId, found);
    }
    return found;
  }

  /** The ids of up to `most` rows with ids over `afterId` and up to `toId`, by key, in their order. */
  idsByKey(
    afterId: number,
    { toId, most }: { readonly toId: number; readonly most: number },
  ): { readonly lastId: number; readonly rows: number; readonly byKey: Map<number, number[]> } {
    const byKey = new Map<number, number[]>();
    let lastId = afterId;
    let rows = 0;
    const tell = (id: number, keyNumber: number): boolean => {
      if (id > toId || rows >= most) return false;
      const known = byKey.get(keyNumber);
      if (known === undefined) byKey.set(keyNumber, [id]);
      else known.push(id);
      lastId = id;
      rows += 1;
      return true;
    };
    this.#stretches.every((stretch) => stretch.each(afterId, tell));
    return { lastId, rows, byKey };
  }

  /** @returns up to which id it has seen them */
  #read(newest: number): number {
    const rows = this.#rows.all(this.#seenTo, newest, rowsOfRead);
    for (const { id, key_number, accepted, at_ms } of rows) {
      this.#add(key_number, { id, accepted: accepted === 1, atMs: at_ms });
    }
    return rows.length < rowsOfRead ? newest : (rows.at(-1)?.id ?? newest);
  }

  #add(keyNumber: number, row: TailRow): void {
    let stretch = this.#stretches.at(-1);
    if (stretch === undefined || stretch.rows >= rowsOfStretch) {
      stretch = new TailStretch();
      this.#stretches.push(stretch);
    }
    stretch.add(keyNumber, row);
  }
}
