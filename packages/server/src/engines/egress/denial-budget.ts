import type { Clock } from '@sandgate/core';

const denialsPerWindow = 20;
const windowMs = 10_000;

/** A program that tries again and again would fill its owner's log: what is beyond is not told. */
export class DenialBudget {
  readonly #clock: Clock;
  #startedMs = Number.NEGATIVE_INFINITY;
  #told = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#startedMs >= windowMs) {
      this.#startedMs = nowMs;
      this.#told = 0;
    }
    this.#told += 1;
    return this.#told <= denialsPerWindow;
  }
}
