import type { Clock } from '../port/clock.ts';
import type { Timers } from '../port/timers.ts';
import type { UsageStore } from '../port/usage-store.ts';

export interface UsageUpkeepParts {
  readonly usage: Pick<UsageStore, 'rollUp' | 'prune'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Milliseconds since some moment, never set back: measures how long a slice takes. */
  readonly elapsedMs: () => number;
  /** Rows older than this are removed once they are rolled up. */
  readonly retentionMs: number;
  readonly onError: (error: unknown) => void;
}

export interface UsageUpkeep {
  /** Resolves when the slice that is under way, if there is one, has ended. */
  close(): Promise<void>;
}

/** Requests wait while a slice runs; well under the 10 ms in which 99 of 100 are to be answered. */
const sliceMs = 4;
const smallestSlice = 16;
const largestSlice = 8_192;
const firstSlice = 128;
const idleMs = 1_000;
const pruneEveryMs = 60_000;
const afterErrorMs = 5_000;
/** Share of the time that slices take: more the longer they are behind, so that they catch up. */
const smallestShare = 0.05;
const largestShare = 0.5;
const largestShareAfterMs = 60_000;

interface Task {
  /** @returns whether more is waiting */
  readonly run: (mostRows: number) => Promise<boolean>;
  readonly everyMs: number;
  rows: number;
  behindSinceMs: number | null;
}

/**
 * Rolls up and prunes beside the traffic, in slices as long as was measured to be harmless, with
 * pauses between them. A task that fails is tried again later: it is told, and nothing is lost.
 */
export function startUsageUpkeep(parts: UsageUpkeepParts): UsageUpkeep {
  const { usage, clock, timers, elapsedMs, retentionMs, onError } = parts;
  const cancels = new Map<Task, () => void>();
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  const slice = async (task: Task): Promise<number> => {
    const startedAtMs = elapsedMs();
    try {
      const more = await task.run(task.rows);
      const tookMs = elapsedMs() - startedAtMs;
      if (!more) {
        // A slice that found less than it might have says nothing about a full one.
        task.behindSinceMs = null;
        return task.everyMs;
      }
      task.behindSinceMs ??= startedAtMs;
      task.rows = nextSlice(task.rows, tookMs);
      return tookMs / shareOf(startedAtMs - task.behindSinceMs) - tookMs;
    } catch (error) {
      onError(error);
      return afterErrorMs;
    }
  };

  const schedule = (task: Task, delayMs: number): void => {
    if (closed) return;
    const cancel = timers.after(delayMs, () => {
      // One slice at a time: two tasks in one turn would make a stall of both.
      running = running.then(async () => {
        if (!closed) schedule(task, await slice(task));
      });
    });
    cancels.set(task, cancel);
  };

  const tasks: readonly Task[] = [
    {
      run: (mostRows) => usage.rollUp(mostRows),
      everyMs: idleMs,
      rows: firstSlice,
      behindSinceMs: null,
    },
    {
      run: (mostRows) => usage.prune(clock.nowMs() - retentionMs, mostRows),
      everyMs: pruneEveryMs,
      rows: firstSlice,
      behindSinceMs: null,
    },
  ];
  for (const task of tasks) schedule(task, 0);

  return {
    async close() {
      closed = true;
      for (const cancel of cancels.values()) cancel();
      await running;
    },
  };
}

/** Doubles at most, so that one lucky slice does not make a long one; shrinks at once. */
function nextSlice(rows: number, tookMs: number): number {
  const fitting = tookMs <= 0 ? rows * 2 : (rows * sliceMs) / tookMs;
  const wanted = Math.min(fitting, rows * 2);
  return Math.round(Math.min(Math.max(wanted, smallestSlice), largestSlice));
}

function shareOf(behindMs: number): number {
  const grown = smallestShare + ((largestShare - smallestShare) * behindMs) / largestShareAfterMs;
  return Math.min(grown, largestShare);
}
