import type { SandgateError, Timers } from '@sandgate/core';

/** Ends what is open, and is told why. */
export type Cut = (refusal: SandgateError) => void;

export interface RepeatedCheck {
  /** What the answer depends on: one question is asked for all that have the same. */
  readonly key: () => string;
  /** Why it may stay open no longer, or null. Rejects when nobody can tell: then it stays. */
  readonly ask: () => Promise<SandgateError | null>;
  /** Called once. */
  readonly cut: Cut;
}

const everyMs = 5_000;

/** Asks every few seconds whether what is open, as streams and connections, may stay open. */
export class RepeatedChecks {
  readonly #open = new Set<RepeatedCheck>();
  readonly #timers: Timers;
  readonly #onError: (error: unknown) => void;
  /** Null: nothing is waited for. */
  #cancel: (() => void) | null = null;

  constructor({
    timers,
    onError,
  }: {
    readonly timers: Timers;
    readonly onError: (error: unknown) => void;
  }) {
    this.#timers = timers;
    this.#onError = onError;
  }

  /** @returns what ends the watching */
  watch(check: RepeatedCheck): () => void {
    this.#open.add(check);
    this.#lookLater();
    return () => this.#remove(check);
  }

  #remove(check: RepeatedCheck): void {
    this.#open.delete(check);
    if (this.#open.size === 0) this.#stopLooking();
  }

  #stopLooking(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #lookLater(): void {
    if (this.#cancel !== null || this.#open.size === 0) return;
    this.#cancel = this.#timers.after(everyMs, () => {
      this.#look().finally(() => {
        // Of those that came while it looked, one may have begun to wait already.
        this.#stopLooking();
        this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const answers = new Map<string, Promise<SandgateError | null>>();
    for (const check of [...this.#open]) {
      const key = check.key();
      const answer = answers.get(key) ?? this.#ask(check);
      answers.set(key, answer);
      const refusal = await answer;
      // It may have ended in the meantime.
      if (refusal !== null && this.#open.delete(check)) check.cut(refusal);
    }
  }

  async #ask(check: RepeatedCheck): Promise<SandgateError | null> {
    try {
      return await check.ask();
    } catch (error) {
      this.#onError(error);
      return null;
    }
  }
}
