import type { Clock } from '../port/clock.ts';
import type { Timers } from '../port/timers.ts';

/** How long a time of activity may be known here alone. */
const storeAfterMs = 30_000;

/** When something was last asked of each sandbox. Calls in progress keep theirs at now. */
export class SandboxActivity {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #store: (activity: ReadonlyMap<string, number>) => Promise<void>;
  readonly #lastMs = new Map<string, number>();
  readonly #inProgress = new Map<string, number>();
  readonly #unstored = new Set<string>();
  #cancel: (() => void) | null = null;

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: Timers;
    /** Never rejects. */
    readonly store: (activity: ReadonlyMap<string, number>) => Promise<void>;
  }) {
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#store = parts.store;
  }

  touch(id: string): void {
    this.#lastMs.set(id, this.#clock.nowMs());
    this.#unstored.add(id);
    this.#cancel ??= this.#timers.after(storeAfterMs, () => void this.flush());
  }

  /** Something begins that keeps the sandbox busy. @returns what ends it, once */
  begin(id: string): () => void {
    this.touch(id);
    this.#inProgress.set(id, (this.#inProgress.get(id) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#inProgress.get(id) ?? 1) - 1;
      if (left > 0) this.#inProgress.set(id, left);
      else this.#inProgress.delete(id);
      // One that was destroyed meanwhile is forgotten.
      if (this.#lastMs.has(id)) this.touch(id);
    };
  }

  /** Keeps a sandbox busy for as long as something goes on. */
  async during<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const end = this.begin(id);
    try {
      return await work();
    } finally {
      end();
    }
  }

  lastMs(id: string, storedMs: number): number {
    if (this.#inProgress.has(id)) return this.#clock.nowMs();
    return Math.max(storedMs, this.#lastMs.get(id) ?? 0);
  }

  forget(id: string): void {
    this.#lastMs.delete(id);
    this.#unstored.delete(id);
  }

  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#unstored.size === 0) return;
    const activity = new Map([...this.#unstored].map((id) => [id, this.lastMs(id, 0)]));
    this.#unstored.clear();
    await this.#store(activity);
  }
}
