import type { PausableTimers } from './pausable-timers.ts';
import type { ProcessHold } from './process-hold.ts';

/** Whether one sandbox is paused, and who waits for that to end. */
export class SandboxPause {
  readonly #hold: ProcessHold;
  readonly #timers: PausableTimers;
  #turn: Promise<unknown> = Promise.resolve();
  /** Settled at the next resume; null while nothing is held. */
  #resumed: PromiseWithResolvers<void> | null = null;
  #paused = false;
  #over = false;

  constructor(hold: ProcessHold, timers: PausableTimers) {
    this.#hold = hold;
    this.#timers = timers;
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#paused || this.#over) return;
      await this.#close();
      this.#paused = true;
    });
  }

  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#paused) return;
      this.#paused = false;
      await this.#open();
    });
  }

  /** Does `work` while of all processes only the agent and what it starts for this can run. */
  heldStill<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      if (this.#over) return await work();
      if (!this.#paused) await this.#close();
      try {
        return await this.#hold.withAgent(work);
      } finally {
        if (!this.#paused || this.#over) await this.#open();
      }
    });
  }

  /** Waits while something is held; an aborted signal ends the wait. */
  async opened(signal?: AbortSignal): Promise<void> {
    if (this.#resumed === null) return;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal?.addEventListener('abort', onAbort);
    while (this.#resumed !== null && signal?.aborted !== true) {
      await Promise.race([this.#resumed.promise, aborted.promise]);
    }
    signal?.removeEventListener('abort', onAbort);
  }

  /** Lets everything go, for good and without waiting for a turn: the sandbox is about to end. */
  async end(): Promise<void> {
    this.#over = true;
    this.#paused = false;
    await this.#open();
  }

  /** As `end`, after what is being done with the sandbox held still. */
  async endInTurn(): Promise<void> {
    await this.#inTurn(() => this.end());
  }

  async #close(): Promise<void> {
    this.#resumed ??= Promise.withResolvers();
    this.#timers.pause();
    try {
      await this.#hold.hold();
    } catch (cause) {
      await this.#open();
      throw cause;
    }
    if (this.#over) await this.#open();
  }

  async #open(): Promise<void> {
    await this.#hold.letGo();
    this.#timers.resume();
    this.#resumed?.resolve();
    this.#resumed = null;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
