/** Where in a segment the sums have come to. */
export interface SegmentPlace {
  readonly keyNumber: number;
  readonly id: number;
}

/** What is summed in one step. */
export interface SegmentSlice {
  readonly ids: readonly number[];
  readonly end: SegmentPlace;
  readonly isLast: boolean;
}

/** A stretch of rows, in the order of their keys and then of their ids. */
export class UsageSegment {
  /** Its ids are over this one, */
  readonly afterId: number;
  /** and up to this one. */
  readonly toId: number;
  readonly #ids: ReadonlyMap<number, readonly number[]>;
  readonly #keys: Float64Array;

  /** `ids`: by key, in their order. */
  constructor(afterId: number, toId: number, ids: ReadonlyMap<number, readonly number[]>) {
    this.afterId = afterId;
    this.toId = toId;
    this.#ids = ids;
    this.#keys = Float64Array.from(ids.keys()).sort();
  }

  /** What comes after a place, or at the beginning. */
  slice(
    after: SegmentPlace | null,
    { mostRows, mostKeys }: { readonly mostRows: number; readonly mostKeys: number },
  ): SegmentSlice {
    const ids: number[] = [];
    let end = after ?? { keyNumber: Number.NEGATIVE_INFINITY, id: 0 };
    const first = after === null ? 0 : this.#indexOf(after.keyNumber);
    for (let index = first; index < this.#keys.length; index += 1) {
      const keyNumber = this.#keys[index] ?? 0;
      const ofKey = this.#ids.get(keyNumber) ?? [];
      const rest = keyNumber === end.keyNumber ? ofKey.filter((id) => id > end.id) : ofKey;
      if (rest.length === 0) continue;
      if (index - first > mostKeys || ids.length >= mostRows) return { ids, end, isLast: false };
      for (const id of rest.slice(0, mostRows - ids.length)) ids.push(id);
      end = { keyNumber, id: ids.at(-1) ?? 0 };
      if (end.id !== rest.at(-1)) return { ids, end, isLast: false };
    }
    return { ids, end, isLast: true };
  }

  /** Of the first key that is no smaller. */
  #indexOf(keyNumber: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? 0) < keyNumber) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
