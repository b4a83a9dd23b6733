import { describe, expect, it } from 'vitest';
import { startUsageUpkeep } from './usage-upkeep.ts';

/** A store whose slices take `costMs` a row, on a clock that only they and `advance` move. */
function upkeepOf(waiting: { rollUp: number; prune: number }, costMs: (rows: number) => number) {
  let nowMs = 1_000_000;
  let timed: { atMs: number; run: () => void }[] = [];
  const slices: { kind: 'rollUp' | 'prune'; rows: number; atMs: number; tookMs: number }[] = [];
  const errors: unknown[] = [];
  let failing = false;
  const work = (kind: 'rollUp' | 'prune') => async (mostRows: number) => {
    if (failing) throw new Error('disk full');
    const rows = Math.min(mostRows, waiting[kind]);
    waiting[kind] -= rows;
    slices.push({ kind, rows, atMs: nowMs, tookMs: costMs(rows) });
    nowMs += costMs(rows);
    return waiting[kind] > 0;
  };
  const beforeMs: number[] = [];
  const upkeep = startUsageUpkeep({
    usage: {
      rollUp: work('rollUp'),
      prune: (before, mostRows) => {
        beforeMs.push(before);
        return work('prune')(mostRows);
      },
    },
    clock: { nowMs: () => nowMs },
    timers: {
      after(delayMs, run) {
        const timer = { atMs: nowMs + delayMs, run };
        timed.push(timer);
        return () => {
          timed = timed.filter((other) => other !== timer);
        };
      },
    },
    elapsedMs: () => nowMs,
    retentionMs: 5_000,
    onError: (error) => errors.push(error),
  });
  const advance = async (byMs: number): Promise<void> => {
    const untilMs = nowMs + byMs;
    for (;;) {
      const [next] = timed.toSorted((one, other) => one.atMs - other.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      timed = timed.filter((timer) => timer !== next);
      nowMs = Math.max(nowMs, next.atMs);
      next.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    nowMs = untilMs;
  };
  return {
    upkeep,
    slices,
    errors,
    beforeMs,
    advance,
    timers: () => timed.length,
    fail: (value: boolean) => {
      failing = value;
    },
  };
}

describe('the upkeep of usage', () => {
  it('does all that is waiting, in slices under 50 ms, however slow a row is', async () => {
    for (const perRowMs of [0.001, 0.1, 0.5]) {
      const waiting = { rollUp: 20_000, prune: 3_000 };
      const { upkeep, slices, advance } = upkeepOf(waiting, (rows) => rows * perRowMs);
      await advance(600_000);
      expect(waiting).toEqual({ rollUp: 0, prune: 0 });
      const longest = slices.slice(2).map(({ tookMs }) => tookMs);
      expect(Math.max(...longest)).toBeLessThan(50);
      await upkeep.close();
    }
  });

  it('leaves most of the time to requests, and more of it the less it is behind', async () => {
    const { upkeep, slices, advance } = upkeepOf({ rollUp: 1e9, prune: 0 }, (rows) => rows * 0.05);
    await advance(5_000);
    const early = slices.reduce((sum, { tookMs }) => sum + tookMs, 0);
    expect(early / 5_000).toBeLessThan(0.1);
    await advance(60_000);
    const before = slices.reduce((sum, { tookMs }) => sum + tookMs, 0);
    await advance(5_000);
    const late = slices.reduce((sum, { tookMs }) => sum + tookMs, 0) - before;
    expect(late / 5_000).toBeGreaterThan(0.4);
    expect(late / 5_000).toBeLessThan(0.6);
    await upkeep.close();
  });

  it('shrinks its slices when rows become slow', async () => {
    let perRowMs = 0.01;
    const { upkeep, slices, advance } = upkeepOf(
      { rollUp: 1e9, prune: 0 },
      (rows) => rows * perRowMs,
    );
    await advance(5_000);
    perRowMs = 0.1;
    const count = slices.length;
    await advance(5_000);
    expect(slices.slice(count + 1).every(({ tookMs }) => tookMs <= 20)).toBe(true);
    await upkeep.close();
  });

  it('prunes what is older than the retention, and looks again each minute', async () => {
    const { upkeep, beforeMs, advance } = upkeepOf({ rollUp: 0, prune: 0 }, () => 0);
    await advance(130_000);
    expect(beforeMs).toEqual([995_000, 1_055_000, 1_115_000]);
    await upkeep.close();
  });

  it('tells of a failure, and goes on when it is over', async () => {
    const waiting = { rollUp: 10, prune: 0 };
    const { upkeep, errors, advance, fail } = upkeepOf(waiting, () => 1);
    fail(true);
    await advance(10_000);
    expect(errors.length).toBeGreaterThan(1);
    expect(errors.length).toBeLessThan(10);
    fail(false);
    await advance(10_000);
    expect(waiting.rollUp).toBe(0);
    await upkeep.close();
  });

  it('leaves no timer behind when it is closed', async () => {
    const { upkeep, advance, timers, slices } = upkeepOf({ rollUp: 5, prune: 5 }, () => 1);
    await advance(100);
    await upkeep.close();
    const count = slices.length;
    expect(timers()).toBe(0);
    await advance(100_000);
    expect(slices).toHaveLength(count);
  });
});
