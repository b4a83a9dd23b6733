import type { Timers } from '../port/timers.ts';

const retryAfterMs = 1_000;

/** Does what has to be done in the end, whatever fails meanwhile. */
export interface Settler {
  /**
   * Tries at once, and resolves when the first try is over. A failure is told of once, and what failed
   * is tried again until it works. What is tried must be idempotent.
   */
  settle(work: () => Promise<unknown>, onFirstFailure: (error: unknown) => void): Promise<void>;
  /** Gives up what has not worked until now: the next start finds it. */
  close(): void;
}

export function createSettler(timers: Timers): Settler {
  const cancels = new Set<() => void>();
  let closed = false;

  const later = (work: () => Promise<unknown>): void => {
    if (closed) return;
    const cancel = timers.after(retryAfterMs, () => {
      cancels.delete(cancel);
      work().catch(() => later(work));
    });
    cancels.add(cancel);
  };

  return {
    async settle(work, onFirstFailure) {
      try {
        await work();
      } catch (error) {
        onFirstFailure(error);
        later(work);
      }
    },
    close() {
      closed = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
