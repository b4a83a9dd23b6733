import type { LimitDecision, LimitWindow, WindowState } from './limit-window.ts';

const smallestCapacity = 16;

const acceptedDecision: LimitDecision = { accepted: true, retryAfterMs: 0, fullWindow: null };

/**
 * The times of a key's accepted calls, newest last, as far back as its windows reach.
 *
 * A window (limit L, width W) is full when the L-th newest time is younger than W: so no stretch of
 * length W ever holds more than L accepted calls, wherever it begins. One ring serves windows of
 * every width, and all of them are looked at before any is charged.
 *
 * Time never runs backwards here: a clock that is set back counts as standing still until it has
 * caught up, or a step back would open the windows anew.
 */
export class AcceptedRing {
  #times = new Float64Array(smallestCapacity);
  /** Position of the oldest time kept, and how many there are. */
  #start = 0;
  #count = 0;

  /** How many times are kept. */
  get size(): number {
    return this.#count;
  }

  /** Newest accepted time, or -Infinity. */
  get newestMs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#newest(1);
  }

  /** Checks every window, and charges all of them if none is full. */
  take(windows: readonly LimitWindow[], clockMs: number): LimitDecision {
    const nowMs = Math.max(clockMs, this.newestMs);
    let retryAfterMs = 0;
    let fullWindow: number | null = null;
    for (let index = 0; index < windows.length; index += 1) {
      const window = windows[index];
      if (window === undefined) continue;
      const waitMs = this.#waitMs(window, nowMs);
      if (waitMs > retryAfterMs) {
        retryAfterMs = waitMs;
        fullWindow = index;
      }
    }
    if (fullWindow === null) {
      this.#push(nowMs, windows);
      return acceptedDecision;
    }
    return { accepted: false, retryAfterMs: retryAfterMs + (nowMs - clockMs), fullWindow };
  }

  /** How the windows stand, without a charge. */
  look(windows: readonly LimitWindow[], clockMs: number): readonly WindowState[] {
    const nowMs = Math.max(clockMs, this.newestMs);
    return windows.map(({ name, limit, widthMs }) => {
      const used = this.#youngerThan(nowMs - widthMs);
      // A limit that was lowered may have been passed already: then more than one has to leave.
      const leaving = Math.max(1, used - limit + 1);
      return {
        name,
        limit,
        widthMs,
        remaining: Math.max(0, limit - used),
        resetAfterMs:
          used === 0 ? 0 : this.#newest(used - leaving + 1) + widthMs - nowMs + (nowMs - clockMs),
      };
    });
  }

  /** Puts an accepted time in that was recorded earlier. Times come oldest first. */
  restore(timeMs: number, windows: readonly LimitWindow[]): void {
    this.#push(Math.max(timeMs, this.newestMs), windows);
  }

  /** Until a call fits into a window; 0 or less when it does now. */
  #waitMs({ limit, widthMs }: LimitWindow, nowMs: number): number {
    if (limit <= 0) return widthMs;
    return this.#count < limit ? 0 : this.#newest(limit) + widthMs - nowMs;
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

  #push(timeMs: number, windows: readonly LimitWindow[]): void {
    if (this.#count === this.#times.length) this.#makeRoom(windows);
    this.#times[(this.#start + this.#count) & (this.#times.length - 1)] = timeMs;
    this.#count += 1;
  }

  /** Forgets the times that have left the widest window, else doubles. The length is a power of 2. */
  #makeRoom(windows: readonly LimitWindow[]): void {
    const widestMs = windows.reduce((most, { widthMs }) => Math.max(most, widthMs), 0);
    const forgotten = this.#count - this.#youngerThan(this.newestMs - widestMs);
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
