import type { Charged, LimitAccount } from '@sandgate/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryCounters } from './memory-counters.ts';

const widths = { narrow: 50, wide: 400 };
const limits = { narrow: 3, wide: 8 };
/** Key 3 is a child of key 1: its calls are charged to both. */
const lineages = [[1], [2], [3, 1], [4]];

const accountOf = (keyNumber: number): LimitAccount => ({
  keyNumber,
  windows: [
    { name: 'narrow', limit: limits.narrow, widthMs: widths.narrow },
    { name: 'wide', limit: limits.wide, widthMs: widths.wide },
  ],
});

interface LoggedCall {
  readonly lineage: readonly number[];
  readonly charged: Charged;
  state: 'in flight' | 'stored' | 'failed';
}

/** Every call that was ever accepted, counted by looking at all of them. */
class NaiveLog {
  readonly calls: LoggedCall[] = [];

  fits(lineage: readonly number[], nowMs: number): boolean {
    return lineage.every((keyNumber) => {
      const times = this.calls
        .filter((call) => call.state !== 'failed' && call.lineage.includes(keyNumber))
        .map(({ charged }) => charged.atMs);
      const within = (widthMs: number) => times.filter((time) => time > nowMs - widthMs).length;
      return within(widths.narrow) < limits.narrow && within(widths.wide) < limits.wide;
    });
  }

  flying(): readonly LoggedCall[] {
    return this.calls.filter(({ state }) => state === 'in flight');
  }

  /** What a store would answer: only what is committed. */
  readonly acceptedTimes = async (keyNumber: number, sinceMs: number, most: number) =>
    this.calls
      .filter(({ state, lineage }) => state === 'stored' && lineage.includes(keyNumber))
      .map(({ charged }) => charged.atMs)
      .filter((time) => time >= sinceMs)
      .toSorted((one, other) => one - other)
      .slice(-most);
}

const step = fc.record({
  kind: fc.constantFrom('take', 'take', 'take', 'burst', 'commit', 'commit', 'fail', 'overtake'),
  lineage: fc.constantFrom(...lineages),
  pick: fc.nat(),
  afterMs: fc.nat(25),
});

it('counts what is stored and what is in flight, over failed writes and dropped rings', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const log = new NaiveLog();
      const counters = createMemoryCounters(log, { mostRings: 2 });
      let nowMs = 1_000;
      const take = async (lineage: readonly number[]): Promise<boolean> => {
        const { decision } = await counters.take(lineage.map(accountOf), nowMs);
        if (!decision.accepted) return false;
        const charged = { atMs: decision.chargedAtMs, keyNumbers: lineage };
        log.calls.push({ lineage, charged, state: 'in flight' });
        return true;
      };
      for (const { kind, lineage, pick, afterMs } of steps) {
        nowMs += afterMs;
        const flying = log.flying();
        const call = flying[pick % Math.max(1, flying.length)];
        if (kind === 'take') {
          const fits = log.fits(lineage, nowMs);
          expect(await take(lineage)).toBe(fits);
        } else if (kind === 'burst') {
          const before = log.flying().length;
          await Promise.all([1, 2, 3, 4].map(() => take(lineage)));
          expect(log.fits(lineage, nowMs) && log.flying().length < before + 4).toBe(false);
        } else if (call !== undefined && kind === 'commit') {
          call.state = 'stored';
          counters.settle(call.charged);
        } else if (call !== undefined && kind === 'fail') {
          call.state = 'failed';
          counters.forget(call.charged);
        } else if (call !== undefined && kind === 'overtake') {
          // Another call asks after a commit and before it is settled, in one turn of the event loop.
          const fits = log.fits(lineage, nowMs);
          call.state = 'stored';
          const asking = take(lineage);
          counters.settle(call.charged);
          expect(await asking).toBe(fits);
        }
        for (const keyNumber of [1, 2, 3, 4]) {
          const used = (widthMs: number) =>
            log.calls.filter(
              ({ state, lineage: charged, charged: { atMs } }) =>
                state !== 'failed' && charged.includes(keyNumber) && atMs > nowMs - widthMs,
            ).length;
          const states = await counters.look([accountOf(keyNumber)], nowMs);
          expect(states.map(({ remaining }) => remaining)).toEqual([
            limits.narrow - used(widths.narrow),
            limits.wide - used(widths.wide),
          ]);
        }
      }
    }),
    { numRuns: 150 },
  );
});
