import { type StartTimer, startRealTimer } from '../../kernel/start-timer.ts';

interface Timer {
  readonly action: () => void;
  leftMs: number;
  startedAtMs: number;
  cancel: () => void;
}

/** Timers of what runs in a sandbox: while that is paused, their time stands still too. */
export class PausableTimers {
  readonly #timers = new Set<Timer>();
  readonly #startTimer: StartTimer;
  readonly #nowMs: () => number;
  #paused = false;

  constructor(startTimer: StartTimer = startRealTimer, nowMs = () => performance.now()) {
    this.#startTimer = startTimer;
    this.#nowMs = nowMs;
  }

  readonly start: StartTimer = (action, delayMs) => {
    const timer: Timer = { action, leftMs: delayMs, startedAtMs: 0, cancel: () => {} };
    this.#timers.add(timer);
    if (!this.#paused) this.#arm(timer);
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  };

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    for (const timer of this.#timers) {
      timer.cancel();
      timer.leftMs = Math.max(0, timer.leftMs - (this.#nowMs() - timer.startedAtMs));
    }
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (const timer of this.#timers) this.#arm(timer);
  }

  #arm(timer: Timer): void {
    timer.startedAtMs = this.#nowMs();
    timer.cancel = this.#startTimer(() => {
      this.#timers.delete(timer);
      timer.action();
    }, timer.leftMs);
  }
}
