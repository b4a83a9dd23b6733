import {
  type Charged,
  type CheckOutcome,
  checkKey,
  type IssuedKey,
  issueKey,
  limitWindows,
  mergeLimits,
  type NewUsageRow,
  noLimits,
  type RequestLimitOverrides,
  rotateKey,
} from '@sandgate/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMemoryCounters } from '../../packages/server/src/counters/memory/memory-counters.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;

beforeAll(async () => {
  test = await createTestApp(folder);
});

/** The parent of each key of a family, by index: a root, two children, a grandchild of the first. */
const parents = [null, 0, 0, 1] as const;
const keyIndex = fc.nat(parents.length - 1);

const limit = fc.option(fc.integer({ min: 1, max: 12 }));
const limits = fc.record({ minute: limit, hour: limit, day: limit, quota24h: limit });

const waits = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20_000) },
  { weight: 1, arbitrary: fc.nat(4_000_000) },
  { weight: 1, arbitrary: fc.nat(90_000_000) },
);

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('hit' as const),
      key: keyIndex,
      afterMs: waits,
      storedLater: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), ms: waits }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'roll up' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), key: keyIndex }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('limit' as const), key: keyIndex, limits }),
  },
);

/** The plainest possible log: every accepted call with the keys that it counts for. */
class NaiveLog {
  readonly #calls: { readonly atMs: number; readonly keys: readonly number[] }[] = [];
  readonly limits: RequestLimitOverrides[];

  constructor(given: readonly RequestLimitOverrides[]) {
    this.limits = [...given];
  }

  #lineage(key: number): readonly number[] {
    const parent = parents[key] ?? null;
    return parent === null ? [key] : [key, ...this.#lineage(parent)];
  }

  #windows(key: number) {
    return limitWindows(mergeLimits(noLimits, this.limits[key] ?? {}));
  }

  #times(key: number): readonly number[] {
    return this.#calls.filter(({ keys }) => keys.includes(key)).map(({ atMs }) => atMs);
  }

  /** When a call at that time of the clock is charged. */
  nowMs(key: number, clockMs: number): number {
    const limited = this.#lineage(key).filter((each) => this.#windows(each).length > 0);
    return Math.max(clockMs, ...limited.flatMap((each) => this.#times(each)));
  }

  remaining(key: number, clockMs: number): ReadonlyMap<string, number> {
    const nowMs = this.nowMs(key, clockMs);
    const least = new Map<string, number>();
    for (const each of this.#lineage(key)) {
      for (const { name, limit: most, widthMs } of this.#windows(each)) {
        const used = this.#times(each).filter((time) => time > nowMs - widthMs).length;
        const left = Math.max(0, most - used);
        least.set(name, Math.min(left, least.get(name) ?? left));
      }
    }
    return least;
  }

  fits(key: number, clockMs: number): boolean {
    return [...this.remaining(key, clockMs).values()].every((left) => left > 0);
  }

  add(key: number, atMs: number): void {
    this.#calls.push({ atMs, keys: this.#lineage(key) });
  }
}

/** Keys of a family, over the real check and the real store. */
async function openFamily(given: readonly RequestLimitOverrides[]) {
  const { keyDependencies, storage, clock } = test;
  const family: IssuedKey[] = [];
  for (const [index, parent] of parents.entries()) {
    const parentNumber = parent === null ? undefined : family[parent]?.key.number;
    family.push(
      await issueKey(keyDependencies, {
        namespace: 'family',
        limits: given[index] ?? {},
        ...(parentNumber === undefined ? {} : { parentNumber }),
      }),
    );
  }
  let counters = createMemoryCounters(storage.usage);
  let unstored: NewUsageRow[] = [];
  const unsettled: Charged[] = [];
  const store = async () => {
    const begun = unstored;
    unstored = [];
    await storage.usage.write({ begun, ended: [] });
    for (const charged of unsettled.splice(0)) counters.settle(charged);
  };
  const at = (index: number): IssuedKey => family[index] as IssuedKey;
  return {
    async hit(index: number, storedLater: boolean): Promise<CheckOutcome> {
      const outcome = await checkKey(
        {
          ...keyDependencies,
          counters,
          limitsOf: (key) => mergeLimits(noLimits, key.limits),
        },
        {
          credential: at(index).text,
          address: '192.0.2.1',
          requestId: 'request',
          workspace: { kind: 'own' },
          scope: null,
        },
      );
      if (outcome.kind === 'accepted') {
        unsettled.push(outcome.charged);
        unstored.push({
          keyNumber: outcome.key.number,
          workspaceId: null,
          requestId: 'request',
          method: 'GET',
          endpoint: '/',
          status: 200,
          accepted: true,
          errorCode: null,
          durationMs: 1,
          atMs: outcome.charged.atMs,
          sandboxId: null,
        });
      }
      if (!storedLater) await store();
      return outcome;
    },
    async restart() {
      await store();
      counters = createMemoryCounters(storage.usage);
    },
    async rotate(index: number) {
      family[index] = await rotateKey(keyDependencies, at(index).key.id);
    },
    async limit(index: number, changed: RequestLimitOverrides) {
      const found = await storage.keys.findById(at(index).key.id);
      await storage.keys.update(at(index).key.id, { limits: changed }, found?.revision ?? 0);
    },
    nowMs: clock.nowMs,
  };
}

describe('the limits of a key and of its ancestors', () => {
  it('decide like a log of everything, over clock steps, rotations, changed limits and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(limits, limits, limits, limits),
        fc.array(step, { maxLength: 90 }),
        async (given, steps) => {
          const log = new NaiveLog(given);
          const family = await openFamily(given);
          for (const each of steps) {
            if (each.kind === 'back') test.clock.currentMs -= each.ms;
            if (each.kind === 'restart') await family.restart();
            if (each.kind === 'roll up') while (await test.storage.usage.rollUp(1_000));
            if (each.kind === 'rotate') await family.rotate(each.key);
            if (each.kind === 'limit') {
              await family.limit(each.key, each.limits);
              log.limits[each.key] = each.limits;
            }
            if (each.kind !== 'hit') continue;
            test.clock.currentMs += each.afterMs;
            const { key } = each;
            const clockMs = test.clock.currentMs;
            const fits = log.fits(key, clockMs);
            const outcome = await family.hit(key, each.storedLater);
            expect(outcome.kind).toBe(fits ? 'accepted' : 'refused');
            if (outcome.kind === 'accepted') {
              expect(outcome.charged.atMs).toBe(log.nowMs(key, clockMs));
              log.add(key, outcome.charged.atMs);
            } else {
              const { retryAfterMs = 0 } = outcome.error.data as { retryAfterMs?: number };
              expect(log.fits(key, clockMs + retryAfterMs - 1)).toBe(false);
              expect(log.fits(key, clockMs + retryAfterMs)).toBe(true);
            }
            const told = outcome.limits.map(({ name, remaining }) => [name, remaining] as const);
            expect(new Map(told)).toEqual(log.remaining(key, clockMs));
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it('let a key and all that it mints make no more calls together than itself', async () => {
    const family = await openFamily([{ minute: 10 }, {}, { minute: 3 }, {}]);
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) => family.hit(index % 4, true)),
    );
    const accepted = outcomes.filter(({ kind }) => kind === 'accepted');
    expect(accepted).toHaveLength(10);
  });
});
