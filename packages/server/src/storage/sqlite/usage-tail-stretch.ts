/** One request that no roll-up has come to yet. */
export interface TailRow {
  readonly id: number;
  readonly accepted: boolean;
  readonly atMs: number;
}

const none = -1;
const fewest = 64;

/**
 * Rows of a stretch of ids, by key. There may be a million of them, so a row is a few numbers in
 * columns, and those of a key are chained from the newest to the oldest.
 */
export class TailStretch {
  #rows = 0;
  #ids = new Float64Array(fewest);
  #keys = new Float64Array(fewest);
  #times = new Float64Array(fewest);
  #accepted = new Uint8Array(fewest);
  /** Position of the row of the same key before this one, or `none`. */
  #before = new Int32Array(fewest);
  /** Position of a key's newest row. */
  readonly #newest = new Map<number, number>();

  get rows(): number {
    return this.#rows;
  }

  /** Of the newest row. */
  get lastId(): number {
    return this.#rows === 0 ? 0 : (this.#ids[this.#rows - 1] ?? 0);
  }

  /** Ids come in their order. */
  add(keyNumber: number, { id, accepted, atMs }: TailRow): void {
    if (this.#rows === this.#ids.length) this.#grow();
    const position = this.#rows;
    this.#ids[position] = id;
    this.#keys[position] = keyNumber;
    this.#times[position] = atMs;
    this.#accepted[position] = accepted ? 1 : 0;
    this.#before[position] = this.#newest.get(keyNumber) ?? none;
    this.#newest.set(keyNumber, position);
    this.#rows += 1;
  }

  /** Adds the rows of a key with ids over `afterId` to `found`, newest first. */
  collect(keyNumber: number, afterId: number, found: TailRow[]): void {
    let position = this.#newest.get(keyNumber) ?? none;
    while (position !== none) {
      const id = this.#ids[position] ?? 0;
      if (id <= afterId) return;
      const accepted = this.#accepted[position] === 1;
      found.push({ id, accepted, atMs: this.#times[position] ?? 0 });
      position = this.#before[position] ?? none;
    }
  }

  /**
   * Tells of its rows with ids over `afterId`, in their order, until it is answered false.
   * @returns whether it was told all of them
   */
  each(afterId: number, tell: (id: number, keyNumber: number) => boolean): boolean {
    for (let position = 0; position < this.#rows; position += 1) {
      const id = this.#ids[position] ?? 0;
      if (id > afterId && !tell(id, this.#keys[position] ?? 0)) return false;
    }
    return true;
  }

  #grow(): void {
    const length = this.#ids.length * 2;
    this.#ids = copyOf(this.#ids, new Float64Array(length));
    this.#keys = copyOf(this.#keys, new Float64Array(length));
    this.#times = copyOf(this.#times, new Float64Array(length));
    this.#accepted = copyOf(this.#accepted, new Uint8Array(length));
    this.#before = copyOf(this.#before, new Int32Array(length));
  }
}

function copyOf<Column extends Float64Array | Uint8Array | Int32Array>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  return to;
}
