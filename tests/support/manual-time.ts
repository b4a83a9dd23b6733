import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Timers } from '@sandgate/core';

interface Waiting {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that stands still until the test moves it, with the timers that belong to it. */
export interface ManualTime extends Clock, Timers {
  /** Moves on, stopping at each timer that is due, and lets what it began go as far as it can. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  readonly waiting: number;
}

export function createManualTime(startMs = 1_800_000_000_000): ManualTime {
  let nowMs = startMs;
  const waiting = new Set<Waiting>();
  return {
    nowMs: () => nowMs,
    get waiting() {
      return waiting.size;
    },
    after(delayMs, run) {
      const entry = { atMs: nowMs + delayMs, run };
      waiting.add(entry);
      return () => void waiting.delete(entry);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = [...waiting]
          .filter(({ atMs }) => atMs <= untilMs)
          .reduce<Waiting | null>(
            (first, each) => (first === null || each.atMs < first.atMs ? each : first),
            null,
          );
        if (next === null) break;
        waiting.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}

/** Lets promises, and the few turns of the loop that streams and files take, come to an end. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}
