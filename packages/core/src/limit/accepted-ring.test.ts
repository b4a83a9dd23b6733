import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AcceptedRing } from './accepted-ring.ts';
import type { LimitWindow } from './limit-window.ts';
import { lookIntoRings } from './look-into-rings.ts';
import { takeFromRings } from './take-from-rings.ts';

/** As wide as the widest window here. */
const reachMs = 300;

const take = (ring: AcceptedRing, windows: readonly LimitWindow[], clockMs: number) =>
  takeFromRings([{ ring, windows }], clockMs);
const look = (ring: AcceptedRing, windows: readonly LimitWindow[], clockMs: number) =>
  lookIntoRings([{ ring, windows }], clockMs);

const windowArbitrary = fc.record({
  name: fc.constant('w'),
  limit: fc.integer({ min: 0, max: 40 }),
  widthMs: fc.integer({ min: 1, max: 300 }),
});
const windowsArbitrary = fc.array(windowArbitrary, { minLength: 1, maxLength: 4 });

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('hit'), afterMs: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), afterMs: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back'), afterMs: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart'), afterMs: fc.constant(0) }) },
);

/** The plainest possible log: every accepted time, counted by looking at all of them. */
class NaiveLog {
  readonly times: number[] = [];

  hit(windows: readonly LimitWindow[], clockMs: number): boolean {
    const nowMs = Math.max(clockMs, this.times.at(-1) ?? Number.NEGATIVE_INFINITY);
    const fits = windows.every((window) => this.used(window, nowMs) < window.limit);
    if (fits) this.times.push(nowMs);
    return fits;
  }

  used({ widthMs }: LimitWindow, nowMs: number): number {
    return this.times.filter((time) => time > nowMs - widthMs).length;
  }
}

const restart = (log: NaiveLog): AcceptedRing => {
  const ring = new AcceptedRing(reachMs);
  for (const time of log.times) ring.push(time);
  return ring;
};

describe('the ring of accepted calls', () => {
  it('decides like a log of everything, over hits, waits, clock steps and restarts', () => {
    fc.assert(
      fc.property(windowsArbitrary, fc.array(step, { maxLength: 250 }), (windows, steps) => {
        const log = new NaiveLog();
        let ring = new AcceptedRing(reachMs);
        let clockMs = 1_000;
        for (const { kind, afterMs } of steps) {
          clockMs += kind === 'back' ? -afterMs : afterMs;
          if (kind === 'restart') ring = restart(log);
          if (kind !== 'hit') continue;
          const decision = take(ring, windows, clockMs);
          expect(decision.accepted).toBe(log.hit(windows, clockMs));
          const nowMs = Math.max(clockMs, log.times.at(-1) ?? clockMs);
          expect(look(ring, windows, clockMs).map(({ remaining }) => remaining)).toEqual(
            windows.map((window) => Math.max(0, window.limit - log.used(window, nowMs))),
          );
        }
        for (const { limit, widthMs } of windows) {
          for (const time of log.times) {
            const inside = log.times.filter((other) => other > time - widthMs && other <= time);
            expect(inside.length).toBeLessThanOrEqual(limit);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says when to come back to the millisecond: then it is accepted, and not one earlier', () => {
    const limited = fc.array(
      fc.record({
        name: fc.constant('w'),
        limit: fc.integer({ min: 1, max: 20 }),
        widthMs: fc.integer({ min: 2, max: 300 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(limited, fc.array(fc.nat(15), { maxLength: 120 }), (windows, gaps) => {
        const log = new NaiveLog();
        const ring = new AcceptedRing(reachMs);
        let clockMs = 1_000;
        for (const gap of gaps) {
          clockMs += gap;
          const decision = take(ring, windows, clockMs);
          log.hit(windows, clockMs);
          if (decision.accepted) continue;
          const { retryAfterMs } = decision;
          expect(retryAfterMs).toBeGreaterThan(0);
          const early = take(restart(log), windows, clockMs + retryAfterMs - 1);
          const onTime = take(restart(log), windows, clockMs + retryAfterMs);
          expect([early.accepted, onTime.accepted]).toEqual([false, true]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is exact after a step of the clock backwards', () => {
    const windows = [{ name: 'w', limit: 2, widthMs: 100 }];
    const ring = new AcceptedRing(reachMs);
    take(ring, windows, 1_000);
    take(ring, windows, 1_000);
    const refused = take(ring, windows, 500);
    expect(refused).toMatchObject({ accepted: false, retryAfterMs: 600 });
    expect(take(ring, windows, 1_099).accepted).toBe(false);
    expect(take(ring, windows, 1_100).accepted).toBe(true);
  });

  it('resets when the oldest call inside a window leaves it', () => {
    const windows = [{ name: 'w', limit: 3, widthMs: 100 }];
    const ring = new AcceptedRing(reachMs);
    expect(look(ring, windows, 0)[0]).toMatchObject({ remaining: 3, resetAfterMs: 0 });
    take(ring, windows, 10);
    take(ring, windows, 40);
    expect(look(ring, windows, 50)[0]).toMatchObject({ remaining: 1, resetAfterMs: 60 });
    expect(look(ring, windows, 110)[0]).toMatchObject({ remaining: 2, resetAfterMs: 30 });
  });

  it('holds a lowered limit against what was accepted under the higher one', () => {
    const ring = new AcceptedRing(reachMs);
    const high = [{ name: 'w', limit: 10, widthMs: 100 }];
    for (let at = 0; at < 10; at += 1) take(ring, high, at);
    const low = [{ name: 'w', limit: 3, widthMs: 100 }];
    const refused = take(ring, low, 50);
    expect(refused).toMatchObject({ accepted: false, retryAfterMs: 57 });
    expect(take(ring, low, 106).accepted).toBe(false);
    expect(take(ring, low, 107).accepted).toBe(true);
  });

  it('keeps no more than its widest window can ask for', () => {
    const windows = [{ name: 'w', limit: 20, widthMs: 10 }];
    const ring = new AcceptedRing(10);
    for (let at = 0; at < 10_000; at += 1) take(ring, windows, at * 10);
    expect(ring.size).toBeLessThanOrEqual(32);
  });
});
