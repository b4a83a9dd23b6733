import type { LimitWindow, WindowState } from './limit-window.ts';

/** 64 bytes, which V8 keeps among its own objects: larger ones are allocated and freed one by one. */
const smallestCapacity = 8;

/**
 * The times of accepted calls, newest last, as far back as windows reach.
 *
 * A window (limit L, width W) is full when the L-th newest time is younger than W: so no stretch of
 * length W ever holds more than L accepted calls, wherever it begins. One ring serves windows of
 * every width.
 *
 * Time never runs backwards here: a clock that is set back counts as standing still until it has
 * caught up, or a step back would open the windows anew.
 */
export class AcceptedRing {
  #times = new Float64Array(smallestCapacity);
  /** Position of the oldest time kept, and how many there are. */
  #start = 0;
  #count = 0;
  readonly #reachMs: number;

  /** Times that are older than `reachMs` may be forgotten: no window may be wider. */
  constructor(reachMs: number) {
    this.#reachMs = reachMs;
  }

  /** How many times are kept. */
  get size(): number {
    return this.#count;
  }

  /** Newest accepted time, or -Infinity. */
  get newestMs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#newest(1);
  }

  /** Until a call fits into a window; 0 or less when it does now. */
  waitMs({ limit, widthMs }: LimitWindow, nowMs: number): number {
    if (limit <= 0) return widthMs;
    return this.#count < limit ? 0 : this.#newest(limit) + widthMs - nowMs;
  }

  /**
   * How the windows stand, without a charge. `nowMs` is no earlier than `newestMs`; `clockMs`, to
   * which waits are told, may be when it was set back.
   */
  look(windows: readonly LimitWindow[], nowMs: number, clockMs: number): readonly WindowState[] {
    return windows.map(({ name, limit, widthMs }) => {
      const used = this.#youngerThan(nowMs - widthMs);
      // A limit that was lowered may have been passed already: then more than one has to leave.
      const leaving = Math.max(1, used - limit + 1);
      return {
        name,
        limit,
        widthMs,
        remaining: Math.max(0, limit - used),
        resetAfterMs: used === 0 ? 0 : this.#newest(used - leaving + 1) + widthMs - clockMs,
      };
    });
  }

  /** Adds an accepted call. Times come oldest first. */
  push(timeMs: number): void {
    if (this.#count === this.#times.length) this.#makeRoom();
    this.#times[(this.#start + this.#count) & (this.#times.length - 1)] = Math.max(
      timeMs,
      this.newestMs,
    );
    this.#count += 1;
  }

  /** The n-th newest time, from 1. */
  #newest(n: number): number {
    return this.#times[(this.#start + this.#count - n) & (this.#times.length - 1)] ?? 0;
  }

  /** How many times are younger than a border: of W milliseconds ago, a time exactly W old is out. */
  #youngerThan(borderMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#newest(middle) > borderMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Forgets the times that no window reaches any more, else doubles. The length is a power of 2. */
  #makeRoom(): void {
    const forgotten = this.#count - this.#youngerThan(this.newestMs - this.#reachMs);
    if (forgotten > 0) {
      this.#start = (this.#start + forgotten) & (this.#times.length - 1);
      this.#count -= forgotten;
      return;
    }
    const grown = new Float64Array(this.#times.length * 2);
    for (let index = 0; index < this.#count; index += 1) {
      grown[index] = this.#times[(this.#start + index) & (this.#times.length - 1)] ?? 0;
    }
    this.#times = grown;
    this.#start = 0;
  }
}
