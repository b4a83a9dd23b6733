import type { Clock } from '../port/clock.ts';
import type { Timers } from '../port/timers.ts';

/** Timers count in 32 bits; what is further off is looked at again on the way. */
const longestWaitMs = 2_147_483_647;

/** Moments at which something is due, with one timer for the next of them. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onDue: (id: string) => void;
  readonly #atMs = new Map<string, number>();
  #nextAtMs = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => undefined;
  #closed = false;

  /** `onDue` is told of each once, at its time or as soon as possible after it. */
  constructor(
    { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
    onDue: (id: string) => void,
  ) {
    this.#clock = clock;
    this.#timers = timers;
    this.#onDue = onDue;
  }

  /** Replaces what was set for this id. Null: nothing is due. */
  set(id: string, atMs: number | null): void {
    if (this.#closed) return;
    if (atMs === null) {
      this.#atMs.delete(id);
      return;
    }
    this.#atMs.set(id, atMs);
    if (atMs < this.#nextAtMs) this.#arm(atMs);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    this.#atMs.clear();
  }

  #arm(atMs: number): void {
    this.#cancel();
    this.#nextAtMs = atMs;
    const waitMs = Math.min(Math.max(0, atMs - this.#clock.nowMs()), longestWaitMs);
    this.#cancel = this.#timers.after(waitMs, () => this.#fire());
  }

  #fire(): void {
    if (this.#closed) return;
    const nowMs = this.#clock.nowMs();
    this.#nextAtMs = Number.POSITIVE_INFINITY;
    const due = [...this.#atMs].filter(([, atMs]) => atMs <= nowMs).map(([id]) => id);
    for (const id of due) this.#atMs.delete(id);
    for (const id of due) this.#onDue(id);
    let next = Number.POSITIVE_INFINITY;
    for (const atMs of this.#atMs.values()) next = Math.min(next, atMs);
    if (next < this.#nextAtMs) this.#arm(next);
  }
}
