import type { NewUsageRow } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, storeKey } from './sample-records.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Midnight, UTC. */
const startMs = 20_000 * dayMs;

export function sampleUsage(changes: Partial<NewUsageRow> = {}): NewUsageRow {
  return {
    keyNumber: 1,
    workspaceId: null,
    requestId: 'request',
    method: 'GET',
    endpoint: '/api/v1/api-keys/{id}',
    status: 200,
    accepted: true,
    errorCode: null,
    durationMs: 1.5,
    atMs: startMs,
    sandboxId: null,
    ...changes,
  };
}

export function describeUsage(stores: StoresUnderTest): void {
  const write = (...begun: readonly Partial<NewUsageRow>[]) =>
    stores.storage.usage.write({ begun: begun.map(sampleUsage), ended: [] });
  const end = (id: number, status: number, durationMs = 0) =>
    stores.storage.usage.write({
      begun: [],
      ended: [{ id, status, errorCode: null, durationMs, sandboxId: null }],
    });
  const rollUpAll = async (mostRows = 1000): Promise<void> => {
    while (await stores.storage.usage.rollUp(mostRows));
  };
  const rollUps = [
    { when: 'not rolled up', rollUp: async () => undefined },
    { when: 'rolled up in part', rollUp: () => stores.storage.usage.rollUp(2) },
    { when: 'rolled up', rollUp: rollUpAll },
  ];

  describe('usage', () => {
    it('gives rows back whole, newest first, on every connection, with ids in their order', async () => {
      const rows = [
        sampleUsage({ requestId: 'first', workspaceId: sampleId(7), sandboxId: sampleId(9) }),
        sampleUsage({
          requestId: 'second',
          keyNumber: 2,
          method: 'POST',
          endpoint: '/api/v1/rpc#sandbox.start',
          status: 429,
          accepted: false,
          errorCode: 'access_denied',
          durationMs: 0.125,
          atMs: startMs + 1,
        }),
      ];
      const ids = await stores.storage.usage.write({ begun: rows, ended: [] });
      expect(ids).toHaveLength(2);
      expect(ids[1]).toBeGreaterThan(ids[0] ?? 0);
      expect(await stores.other.usage.list({}, { limit: 10 })).toEqual({
        rows: [
          { id: ids[1], ...rows[1] },
          { id: ids[0], ...rows[0] },
        ],
        nextBeforeId: null,
      });
    });

    it('gives two connections that write by turns ids of their own', async () => {
      const written = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? stores.storage : stores.other).usage.write({
            begun: [sampleUsage({ endpoint: `/${index % 5}` }), sampleUsage()],
            ended: [],
          }),
        ),
      );
      expect(new Set(written.flat()).size).toBe(40);
      expect(await stores.other.usage.total()).toMatchObject({ calls: 40 });
    });

    it.each(rollUps)('completes a row that began, once, when it is $when', async ({ rollUp }) => {
      const [id = 0] = await write({ status: 0, durationMs: 0, atMs: startMs + 5 }, {}, {});
      await rollUp();
      expect(await stores.other.usage.total()).toEqual({ calls: 3, successes: 2, durationMs: 3 });
      const ended = { id, status: 201, errorCode: null, durationMs: 7, sandboxId: sampleId(3) };
      await stores.other.usage.write({ begun: [], ended: [ended] });
      await stores.storage.usage.write({ begun: [], ended: [{ ...ended, status: 500 }] });
      const { rows } = await stores.storage.usage.list({}, { limit: 10 });
      expect(rows.at(-1)).toMatchObject({ id, status: 201, durationMs: 7, sandboxId: sampleId(3) });
      await rollUpAll();
      const sums = { calls: 3, successes: 3, durationMs: 10 };
      expect(await stores.storage.usage.total()).toEqual(sums);
      for (const filter of [{}, { keyNumber: 1 }]) {
        for (const by of ['hour', 'day'] as const) {
          expect(await stores.storage.usage.summarize(filter, by)).toMatchObject([sums]);
        }
      }
    });

    it('passes over an end of a row that is not there, and takes an empty batch', async () => {
      await write({});
      await end(99, 200);
      expect(await stores.storage.usage.write({ begun: [], ended: [] })).toEqual([]);
      expect(await stores.storage.usage.total()).toMatchObject({ calls: 1 });
    });

    describe('accepted times', () => {
      it('are those of one key since a time, oldest first, the newest of them when there are more', async () => {
        const times = [5, 3, 9, 3, 7];
        await write(...times.map((at) => ({ atMs: startMs + at })));
        await write({ atMs: startMs + 6, accepted: false }, { atMs: startMs + 8, keyNumber: 2 });
        const since = async (after: number, most: number) =>
          (await stores.other.usage.acceptedTimes(1, startMs + after, most)).map(
            (at) => at - startMs,
          );
        for (const { rollUp } of rollUps) {
          await rollUp();
          expect(await since(0, 100)).toEqual([3, 3, 5, 7, 9]);
          expect(await since(4, 100)).toEqual([5, 7, 9]);
          expect(await since(4, 2)).toEqual([7, 9]);
          expect(await since(9, 2)).toEqual([9]);
          expect(await since(10, 2)).toEqual([]);
        }
      });

      it('are those of its children too, and of theirs, revoked ones among them', async () => {
        await stores.storage.serverKeys.replace('server key', 1);
        await storeKey(stores.storage, 1);
        await storeKey(stores.storage, 2, 'child', { parentNumber: 1 });
        await storeKey(stores.storage, 3, 'grandchild', { parentNumber: 2 });
        await storeKey(stores.storage, 4, 'stranger');
        await write(...[4, 3, 2, 1].map((keyNumber) => ({ keyNumber, atMs: startMs + keyNumber })));
        await stores.storage.keys.revoke(sampleId(2), 9);
        const times = async (keyNumber: number, most = 100) =>
          (await stores.other.usage.acceptedTimes(keyNumber, startMs, most)).map(
            (at) => at - startMs,
          );
        for (const { rollUp } of rollUps) {
          await rollUp();
          expect(await times(1)).toEqual([1, 2, 3]);
          expect(await times(1, 2)).toEqual([2, 3]);
          expect(await times(2)).toEqual([2, 3]);
          expect(await times(3)).toEqual([3]);
        }
      });
    });

    describe('list', () => {
      beforeEach(async () => {
        await write(
          { requestId: 'a', keyNumber: 1, status: 200, atMs: startMs },
          { requestId: 'b', keyNumber: 2, status: 404, atMs: startMs + 10, endpoint: '/other' },
          { requestId: 'c', keyNumber: 1, status: 403, atMs: startMs + 20, accepted: false },
          { requestId: 'd', keyNumber: 1, status: 503, atMs: startMs + 30, workspaceId: 'w' },
          { requestId: 'e', keyNumber: 1, status: 0, atMs: startMs + 40, method: 'POST' },
        );
      });

      it.each(rollUps)('lets through what its filter says when rows are $when', async (state) => {
        await state.rollUp();
        const { usage } = stores.other;
        const found = async (filter: Parameters<typeof usage.list>[0]) =>
          (await usage.list(filter, { limit: 10 })).rows.map(({ requestId }) => requestId).join('');
        expect(await found({})).toBe('edcba');
        expect(await found({ keyNumber: 1 })).toBe('edca');
        expect(await found({ keyNumber: 3 })).toBe('');
        expect(await found({ workspaceId: 'w' })).toBe('d');
        expect(await found({ workspaceId: 'v' })).toBe('');
        expect(await found({ endpoint: '/other' })).toBe('b');
        expect(await found({ endpoint: '/never' })).toBe('');
        expect(await found({ status: 404 })).toBe('b');
        expect(await found({ status: '4xx' })).toBe('cb');
        expect(await found({ status: '2xx', keyNumber: 1 })).toBe('a');
        expect(await found({ fromMs: startMs + 10, toMs: startMs + 30 })).toBe('cb');
        expect(await found({ fromMs: startMs + 41 })).toBe('');
        expect(await found({ toMs: startMs })).toBe('');
        expect(await found({ keyNumber: 1, fromMs: startMs + 5, toMs: startMs + 31 })).toBe('dc');
      });

      it.each([{}, { keyNumber: 1 }])(
        'goes page by page over %o, each row once',
        async (filter) => {
          const all = (await stores.storage.usage.list(filter, { limit: 100 })).rows;
          const seen = [];
          let beforeId: number | null = null;
          do {
            const page = { limit: 2, ...(beforeId === null ? {} : { beforeId }) };
            const answer: Awaited<ReturnType<typeof stores.storage.usage.list>> =
              await stores.storage.usage.list(filter, page);
            seen.push(...answer.rows);
            beforeId = answer.nextBeforeId;
          } while (beforeId !== null);
          expect(seen).toEqual(all);
        },
      );
    });

    it.each(rollUps)('sums by endpoint and hour or day when rows are $when', async ({ rollUp }) => {
      await write(
        { atMs: startMs + hourMs - 1 },
        { atMs: startMs + hourMs, status: 500 },
        { atMs: startMs + hourMs, keyNumber: 2, workspaceId: 'w' },
        { atMs: startMs + dayMs, method: 'POST', keyNumber: 2 },
      );
      await rollUp();
      const { usage } = stores.other;
      const route = { method: 'GET', endpoint: '/api/v1/api-keys/{id}' };
      const one = { calls: 1, successes: 1, durationMs: 1.5 };
      expect(await usage.summarize({}, 'hour')).toEqual([
        { startMs, ...route, ...one },
        { startMs: startMs + hourMs, ...route, calls: 2, successes: 1, durationMs: 3 },
        { startMs: startMs + dayMs, ...route, ...one, method: 'POST' },
      ]);
      expect(await usage.summarize({ toMs: startMs + dayMs }, 'day')).toEqual([
        { startMs, ...route, calls: 3, successes: 2, durationMs: 4.5 },
      ]);
      expect(await usage.summarize({ fromMs: startMs + 5, keyNumber: 2 }, 'day')).toEqual([
        { startMs, ...route, ...one, keyNumber: 2 },
        { startMs: startMs + dayMs, ...route, ...one, method: 'POST', keyNumber: 2 },
      ]);
      expect(await usage.summarize({ workspaceId: 'w' }, 'hour')).toEqual([
        { startMs: startMs + hourMs, ...route, ...one },
      ]);
      expect(await usage.summarize({ workspaceId: 'w', keyNumber: 1 }, 'hour')).toEqual([]);
      expect(await usage.summarize({ workspaceId: 'v' }, 'hour')).toEqual([]);
      expect(await usage.total('w')).toEqual(one);
      expect(await usage.total('v')).toEqual({ calls: 0, successes: 0, durationMs: 0 });
    });

    it('counts the accepted requests of a key, and moves its last use forward alone', async () => {
      await stores.storage.serverKeys.replace('server key', 1);
      const key = await storeKey(stores.storage, 1);
      await storeKey(stores.storage, 2);
      const used = { ...key, usageCount: 3, lastUsedAtMs: startMs + 9 };
      await write({ atMs: startMs + 9 }, { atMs: startMs + 3 }, { atMs: startMs + 4 });
      await write({ atMs: startMs + 50, accepted: false }, { keyNumber: 77 });
      for (const { rollUp } of rollUps) {
        await rollUp();
        expect(await stores.other.keys.findByNumber(1)).toEqual(used);
        expect(await stores.other.keys.findById(key.id)).toEqual(used);
        expect((await stores.other.keys.list({}))[0]).toEqual(used);
        expect(await stores.other.keys.findByNumber(2)).toMatchObject({ usageCount: 0 });
      }
    });

    it('prunes rolled-up rows of before a time, a few at once, and keeps every sum', async () => {
      await write(...[1, 2, 9, 3, 4, 8].map((at) => ({ atMs: startMs + at })));
      expect(await stores.storage.usage.prune(startMs + 5, 10)).toBe(false);
      expect((await stores.storage.usage.list({}, { limit: 10 })).rows).toHaveLength(6);
      await stores.storage.usage.rollUp(4);
      expect(await stores.storage.usage.prune(startMs + 5, 2)).toBe(true);
      expect(await stores.storage.usage.prune(startMs + 5, 2)).toBe(false);
      const { rows } = await stores.storage.usage.list({}, { limit: 10 });
      expect(rows.map(({ atMs }) => atMs - startMs)).toEqual([8, 4, 9]);
      await rollUpAll();
      expect(await stores.other.usage.total()).toMatchObject({ calls: 6, successes: 6 });
      expect(await stores.other.usage.acceptedTimes(1, 0, 10)).toHaveLength(3);
    });

    it('never gives an id twice, even when everything was pruned', async () => {
      const [first = 0] = await write({});
      await rollUpAll();
      while (await stores.storage.usage.prune(startMs + dayMs, 10));
      const [second = 0] = await write({ requestId: 'later' });
      expect(second).toBeGreaterThan(first);
      await end(first, 200);
      await rollUpAll();
      expect(await stores.storage.usage.total()).toMatchObject({ calls: 2 });
    });
  });
}
