import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewUsageRow, Storage, UsageBucket, UsageRow, UsageSummary } from '@sandgate/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openSqliteStorage } from './open-sqlite-storage.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = 20_000 * dayMs;
const endpoints = ['/a', '/b'];
const workspaceIds = [null, 'v', 'w'];

const begun = fc.record({
  keyNumber: fc.integer({ min: 1, max: 3 }),
  workspaceId: fc.constantFrom(...workspaceIds),
  endpoint: fc.constantFrom(...endpoints),
  method: fc.constantFrom('GET', 'POST'),
  status: fc.constantFrom(0, 0, 200, 399, 400, 500),
  accepted: fc.boolean(),
  durationMs: fc.nat(5_000).map((microseconds) => microseconds / 1000),
  atMs: fc.nat(3 * dayMs).map((afterMs) => startMs + afterMs),
});
const ended = fc.record({
  pick: fc.nat(),
  status: fc.constantFrom(200, 404),
  durationMs: fc.nat(5_000).map((microseconds) => microseconds / 1000),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write'),
      begun: fc.array(begun, { maxLength: 6 }),
      ended: fc.array(ended, { maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('rollUp'), rows: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('prune'),
      rows: fc.integer({ min: 1, max: 12 }),
      beforeMs: fc.nat(3 * dayMs),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compare') }) },
) as fc.Arbitrary<Step>;

type Step =
  | {
      kind: 'write';
      begun: (typeof begun extends fc.Arbitrary<infer T> ? T : never)[];
      ended: (typeof ended extends fc.Arbitrary<infer T> ? T : never)[];
    }
  | { kind: 'rollUp'; rows: number }
  | { kind: 'prune'; rows: number; beforeMs: number }
  | { kind: 'crash' }
  | { kind: 'compare' };

/** Every row that was ever acknowledged, summed by looking at all of them. */
class NaiveUsage {
  readonly rows = new Map<number, UsageRow>();
  readonly pruned = new Set<number>();

  summary(chosen: readonly UsageRow[]): UsageSummary {
    const microseconds = chosen.reduce((sum, row) => sum + Math.round(row.durationMs * 1000), 0);
    return {
      calls: chosen.length,
      successes: chosen.filter(({ status }) => status > 0 && status < 400).length,
      durationMs: microseconds / 1000,
    };
  }

  buckets(chosen: readonly UsageRow[], unitMs: number): readonly UsageBucket[] {
    const start = (row: UsageRow) => Math.floor(row.atMs / unitMs) * unitMs;
    const groups = Map.groupBy(chosen, (row) => `${start(row)} ${row.endpoint} ${row.method}`);
    return [...groups.entries()]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, rows]) => {
        const [first] = rows;
        if (first === undefined) throw new Error('an empty group');
        const { endpoint, method } = first;
        return { startMs: start(first), endpoint, method, ...this.summary(rows) };
      });
  }
}

async function compare(storage: Storage, model: NaiveUsage): Promise<void> {
  const { usage } = storage;
  const all = [...model.rows.values()];
  const kept = all.filter(({ id }) => !model.pruned.has(id)).toReversed();
  expect((await usage.list({}, { limit: 10_000 })).rows).toEqual(kept);
  expect(await usage.total()).toEqual(model.summary(all));
  for (const [by, unitMs] of [
    ['hour', hourMs],
    ['day', dayMs],
  ] as const) {
    expect(await usage.summarize({}, by)).toEqual(model.buckets(all, unitMs));
    const fromMs = startMs + dayMs;
    const later = all.filter(({ atMs }) => atMs >= fromMs);
    expect(await usage.summarize({ fromMs }, by)).toEqual(model.buckets(later, unitMs));
  }
  const ofWorkspace = all.filter(({ workspaceId }) => workspaceId === 'w');
  expect(await usage.total('w')).toEqual(model.summary(ofWorkspace));
  expect(await usage.summarize({ workspaceId: 'w' }, 'day')).toEqual(
    model.buckets(ofWorkspace, dayMs),
  );
  for (const keyNumber of [1, 2]) {
    const ofKey = all.filter((row) => row.keyNumber === keyNumber);
    const tagged = (rows: readonly UsageBucket[]) => rows.map((row) => ({ ...row, keyNumber }));
    expect(await usage.summarize({ keyNumber }, 'day')).toEqual(
      tagged(model.buckets(ofKey, dayMs)),
    );
    const inside = ofKey.filter(({ workspaceId }) => workspaceId === 'v');
    expect(await usage.summarize({ keyNumber, workspaceId: 'v' }, 'hour')).toEqual(
      tagged(model.buckets(inside, hourMs)),
    );
    const keptOfKey = kept.filter((row) => row.keyNumber === keyNumber);
    expect((await usage.list({ keyNumber }, { limit: 10_000 })).rows).toEqual(keptOfKey);
    const accepted = keptOfKey.filter((row) => row.accepted && row.atMs >= startMs + dayMs);
    const times = accepted.map(({ atMs }) => atMs).toSorted((one, other) => one - other);
    expect(await usage.acceptedTimes(keyNumber, startMs + dayMs, 3)).toEqual(times.slice(-3));
  }
}

async function play(storage: Storage, model: NaiveUsage, step: Step): Promise<void> {
  if (step.kind === 'write') {
    const rows = step.begun.map(
      (row): NewUsageRow => ({
        ...row,
        durationMs: row.status === 0 ? 0 : row.durationMs,
        requestId: 'r',
        errorCode: null,
        sandboxId: null,
      }),
    );
    const known = [...model.rows.keys()];
    const ends =
      known.length === 0
        ? []
        : step.ended.map(({ pick, ...end }) => ({
            ...end,
            id: known[pick % known.length] ?? 0,
            errorCode: null,
            sandboxId: null,
          }));
    const ids = await storage.usage.write({ begun: rows, ended: ends });
    for (const end of ends) {
      const row = model.rows.get(end.id);
      if (row?.status !== 0 || model.pruned.has(end.id)) continue;
      model.rows.set(end.id, { ...row, status: end.status, durationMs: end.durationMs });
    }
    for (const [index, row] of rows.entries()) {
      const id = ids[index] ?? 0;
      expect(id).toBeGreaterThan(Math.max(0, ...model.rows.keys()));
      model.rows.set(id, { id, ...row });
    }
  }
  if (step.kind === 'rollUp') await storage.usage.rollUp(step.rows);
  if (step.kind === 'prune') {
    const beforeMs = startMs + step.beforeMs;
    await storage.usage.prune(beforeMs, step.rows);
    const { rows } = await storage.usage.list({}, { limit: 10_000 });
    const kept = new Set(rows.map(({ id }) => id));
    const gone = [...model.rows.values()].filter(
      ({ id }) => !kept.has(id) && !model.pruned.has(id),
    );
    expect(gone.length).toBeLessThanOrEqual(step.rows);
    for (const { id, atMs } of gone) {
      expect(atMs).toBeLessThan(beforeMs);
      model.pruned.add(id);
    }
  }
  if (step.kind === 'compare') await compare(storage, model);
}

it('sums like a list of everything, over ends in any order, roll-ups, prunes and crashes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), 'sandgate-usage-'));
      const open = () => openSqliteStorage({ file: join(folder, 'a.db') });
      // A crashed process never closes: its connection stays as it was until the end.
      const opened = [await open()];
      try {
        const model = new NaiveUsage();
        for (const each of steps) {
          if (each.kind === 'crash') opened.push(await open());
          const storage = opened.at(-1);
          if (storage !== undefined) await play(storage, model, each);
        }
        const last = opened.at(-1);
        if (last === undefined) return;
        await compare(last, model);
        while (await last.usage.rollUp(5));
        await compare(last, model);
      } finally {
        for (const storage of opened) await storage.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 80 },
  );
}, 120_000);
