import type { LimitAccount } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import { createMemoryCounters } from './memory-counters.ts';

/** What is stored of one key: its accepted times, oldest first. */
function storeOf(times: number[]) {
  return {
    acceptedTimes: async (_: number, sinceMs: number, most: number) =>
      times
        .filter((time) => time >= sinceMs)
        .toSorted((one, other) => one - other)
        .slice(-most),
  };
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const account = (keyNumber: number, limit: number, widthMs = minuteMs): LimitAccount => ({
  keyNumber,
  windows: [{ name: widthMs === dayMs ? 'day' : 'minute', limit, widthMs }],
});
const range = (length: number, from = 0) => Array.from({ length }, (_, index) => from + index);

describe('counters in memory', () => {
  it('charge all accounts of a call or none, of any number of calls at once', async () => {
    const counters = createMemoryCounters(storeOf([]));
    const taken = await Promise.all(
      range(100).map((index) =>
        counters.take([account(2 + (index % 5), 3), account(1, 10)], 1_000),
      ),
    );
    expect(taken.filter(({ decision }) => decision.accepted)).toHaveLength(10);
    // What the parent refused was not charged to the child.
    const states = await Promise.all(
      range(5).map(async (index) => (await counters.look([account(2 + index, 3)], 1_000))[0]),
    );
    expect(states.reduce((sum, state) => sum + (state?.remaining ?? 0), 0)).toBe(5);
  });

  it('tell of the account that has the fewest calls left', async () => {
    const counters = createMemoryCounters(storeOf([]));
    await counters.take([account(1, 3)], 0);
    const { states } = await counters.take([account(2, 5), account(1, 3)], 0);
    expect(states).toEqual([
      { name: 'minute', limit: 3, widthMs: minuteMs, remaining: 1, resetAfterMs: minuteMs },
    ]);
  });

  it('hold a window that is wider than the ones before against what was stored under those', async () => {
    const times = range(200).map((index) => index * 1_000);
    const counters = createMemoryCounters(storeOf(times));
    await counters.take([account(1, 100)], 200_000);
    const { decision } = await counters.take([account(1, 200, dayMs)], 200_001);
    expect(decision.accepted).toBe(false);
  });

  it('hold a raised limit against all that was accepted, and not just the last few', async () => {
    const counters = createMemoryCounters(storeOf(range(50)));
    expect((await counters.look([account(1, 5)], 100))[0]?.remaining).toBe(0);
    expect((await counters.look([account(1, 60)], 100))[0]?.remaining).toBe(10);
  });

  it('keep what is charged and not stored yet when a limit is raised', async () => {
    const stored = range(5);
    const counters = createMemoryCounters(storeOf(stored));
    await counters.take([account(1, 6)], 100);
    expect((await counters.look([account(1, 60)], 101))[0]?.remaining).toBe(54);
    stored.push(100);
    counters.settle({ atMs: 100, keyNumbers: [1] });
    expect((await counters.look([account(1, 70)], 102))[0]?.remaining).toBe(64);
  });

  it('count anew what a clock that was ahead has left out', async () => {
    const counters = createMemoryCounters(storeOf(range(5)));
    expect((await counters.look([account(1, 5)], 10 * dayMs))[0]?.remaining).toBe(5);
    expect((await counters.take([account(1, 5)], 1_000)).decision.accepted).toBe(false);
  });

  it('read a key again that was forgotten', async () => {
    const stored: number[] = [];
    const counters = createMemoryCounters(storeOf(stored));
    await counters.take([account(1, 5), account(2, 5)], 0);
    counters.forget({ atMs: 0, keyNumbers: [1, 2] });
    stored.push(0, 0);
    expect((await counters.look([account(1, 5)], 0))[0]?.remaining).toBe(3);
  });
});
