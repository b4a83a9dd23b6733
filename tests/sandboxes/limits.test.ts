import { type SandboxLimits, SandgateError, unlimitedSandboxes } from '@sandgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storeKey } from '../../packages/server/src/storage/contract/sample-records.ts';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
const planOf = (limits: Partial<SandboxLimits>) => ({
  limitsOf: () => ({ ...unlimitedSandboxes, ...limits }),
  maxSandboxes: 10_000,
});
const code = (error: unknown) => (error instanceof SandgateError ? error.code : String(error));

describe('a plan', () => {
  it('gives exactly ten of a thousand creates at once, and the next when one is destroyed', async () => {
    const { sandboxes, workspace, other, engine } = await createTestSandboxes(
      folder,
      planOf({ sandboxes: 10 }),
    );
    const results = await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, index) =>
        sandboxes.create(workspace, index % 2 === 0 ? {} : { name: `box-${index}` }),
      ),
    );
    const refused = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(results.length - refused.length).toBe(10);
    expect(new Set(refused.map(code))).toEqual(new Set(['plan_refused']));
    expect(refused[0]).toMatchObject({ data: { resource: 'sandboxes', allowed: 10 } });
    expect(engine.live.size).toBe(10);
    expect((await sandboxes.list(workspace, {}, { limit: 100 })).total).toBe(10);
    await expect(sandboxes.create(other, {})).resolves.toBeDefined();
    const [first] = (await sandboxes.list(workspace, {}, { limit: 1 })).items;
    await sandboxes.stop(workspace, first?.id ?? '');
    await expect(sandboxes.create(workspace, {})).rejects.toMatchObject({ code: 'plan_refused' });
    await sandboxes.destroy(workspace, first?.id ?? '');
    await expect(sandboxes.create(workspace, {})).resolves.toBeDefined();
  });

  it('is never passed and never lost to, however creates, stops, starts and ends interleave', async () => {
    const action = fc.record({
      kind: fc.constantFrom('create', 'stop', 'start', 'destroy', 'fail', 'end'),
      box: fc.integer({ min: 0, max: 5 }),
      waits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        const { sandboxes, workspace, engine } = await createTestSandboxes(
          folder,
          planOf({ sandboxes: 4, running: 2, cpus: 2.5 }),
        );
        let most = 0;
        engine.onStart = () => {
          most = Math.max(most, engine.live.size + 1);
        };
        const calls: Promise<unknown>[] = [];
        for (const { kind, box, waits } of actions) {
          const name = `box-${box}`;
          const call = {
            create: () => sandboxes.create(workspace, { name }),
            stop: () => sandboxes.stop(workspace, name),
            start: () => sandboxes.start(workspace, name, null),
            destroy: () => sandboxes.destroy(workspace, name),
            fail: async () => {
              engine.failStart = new SandgateError('engine_failed', 'No');
              await sandboxes.start(workspace, name, null).catch(() => undefined);
              engine.failStart = null;
            },
            end: async () => [...engine.live.values()][0]?.end('ended'),
          }[kind]();
          calls.push(call.catch(() => undefined));
          if (waits) await Promise.all(calls);
        }
        await Promise.all(calls);
        engine.failStart = null;
        await settle();
        expect(most).toBeLessThanOrEqual(2);
        const { items } = await sandboxes.list(workspace, {}, { limit: 100 });
        const ready = items.filter(({ state }) => state === 'ready');
        expect(new Set(ready.map(({ id }) => id))).toEqual(new Set(engine.live.keys()));
        expect(items.every(({ state }) => ['ready', 'stopped', 'failed'].includes(state))).toBe(
          true,
        );
        expect((await sandboxes.usage(workspace)).used).toMatchObject({
          sandboxes: items.length,
          running: ready.length,
          cpus: ready.length,
        });
        await sandboxes.close();
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['cpus', { cpus: 1.5 }, 1.5],
    ['memoryMib', { memoryMib: 2_000 }, 2_000],
    ['diskMib', { diskMib: 2_000 }, 2_000],
    ['running', { running: 1 }, 1],
  ] as const)('bounds %s of what runs together', async (resource, limits, allowed) => {
    const { sandboxes, workspace } = await createTestSandboxes(folder, planOf(limits));
    await sandboxes.create(workspace, { name: 'box' });
    await expect(sandboxes.create(workspace, {})).rejects.toMatchObject({
      code: 'plan_refused',
      data: { resource, allowed },
    });
    await sandboxes.stop(workspace, 'box');
    await sandboxes.create(workspace, {});
    await expect(sandboxes.start(workspace, 'box', null)).rejects.toMatchObject({
      code: 'plan_refused',
    });
    expect((await sandboxes.find(workspace, 'box')).state).toBe('stopped');
  });

  it('still counts what is stored after a restart', async () => {
    const test = await createTestSandboxes(folder, planOf({ sandboxes: 1 }));
    await test.sandboxes.create(test.workspace, { name: 'box' });
    const sandboxes = await test.crash();
    const refused = { code: 'plan_refused' };
    await expect(sandboxes.create(test.workspace, {})).rejects.toMatchObject(refused);
    await sandboxes.destroy(test.workspace, 'box');
    await expect(sandboxes.create(test.workspace, {})).resolves.toBeDefined();
  });
});

describe('a key', () => {
  it('has no more sandboxes than it and its ancestors may have, also after a restart', async () => {
    const test = await createTestSandboxes(folder);
    const { storage, workspace } = test;
    await storage.serverKeys.replace('fingerprint', 1);
    const parent = await storeKey(storage, 1, 'parent', { restrictions: { maxSandboxes: 2 } });
    const child = await storeKey(storage, 2, 'child', {
      parentNumber: parent.number,
      restrictions: { maxSandboxes: 1 },
    });
    const refused = (allowed: number) => ({
      code: 'quota_exceeded',
      data: { resource: 'sandboxes', allowed },
    });
    test.callerKey = child.number;
    await test.sandboxes.create(workspace, { name: 'of-child' });
    await expect(test.sandboxes.create(workspace, {})).rejects.toMatchObject(refused(1));
    test.callerKey = parent.number;
    await test.sandboxes.create(workspace, {});
    const sandboxes = await test.crash();
    await expect(sandboxes.create(workspace, {})).rejects.toMatchObject(refused(2));
    await sandboxes.destroy(workspace, 'of-child');
    await expect(sandboxes.create(workspace, {})).resolves.toBeDefined();
    test.callerKey = child.number;
    await expect(sandboxes.create(workspace, {})).rejects.toMatchObject(refused(2));
  });
});

describe('the host', () => {
  it('has so much memory for all of them together', async () => {
    const { sandboxes, workspace, other } = await createTestSandboxes(folder, {
      capacity: { cpus: null, memoryMib: 3_000 },
    });
    await sandboxes.create(workspace, {});
    await sandboxes.create(other, {});
    await expect(sandboxes.create(other, {})).rejects.toMatchObject({
      code: 'capacity_exceeded',
      data: { resource: 'memoryMib', allowed: 3_000 },
    });
  });
});

describe('a burst of starts', () => {
  it('goes on a few at a time, the workspaces in turns, and loses none', async () => {
    const test = await createTestSandboxes(folder, { launch: { parallel: 2, queueMs: 60_000 } });
    const { sandboxes, workspace, other, engine } = test;
    const order: string[] = [];
    let inside = 0;
    let most = 0;
    engine.beforeStart = async ({ hostname }) => {
      order.push(hostname);
      inside += 1;
      most = Math.max(most, inside);
      await settle();
      inside -= 1;
    };
    const burst = [1, 2, 3, 4, 5, 6].map((number) =>
      sandboxes.create(workspace, { name: `many-${number}` }),
    );
    await settle();
    const late = sandboxes.create(other, { name: 'late' });
    expect((await Promise.all([...burst, late])).map(({ state }) => state)).toEqual(
      Array.from({ length: 7 }, () => 'ready'),
    );
    expect(most).toBe(2);
    expect(order.indexOf('late')).toBeLessThan(5);
    expect(order.filter((name) => name !== 'late')).toEqual(
      [1, 2, 3, 4, 5, 6].map((number) => `many-${number}`),
    );
  });

  it('refuses one whose turn does not come in time, says when to try again, and keeps nothing of it', async () => {
    const test = await createTestSandboxes(folder, { launch: { parallel: 1, queueMs: 5_000 } });
    const { sandboxes, workspace, engine, time } = test;
    let go: () => void = () => undefined;
    engine.beforeStart = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const first = sandboxes.create(workspace, { name: 'first' });
    await settle();
    const second = sandboxes.create(workspace, { name: 'second' });
    const refused = expect(second).rejects.toMatchObject({
      code: 'capacity_exceeded',
      data: { retryAfterMs: expect.any(Number) },
    });
    await time.advance(5_000);
    await refused;
    go();
    expect((await first).state).toBe('ready');
    expect((await sandboxes.usage(workspace)).used).toMatchObject({ sandboxes: 1, running: 1 });
  });

  it('starts nothing for a client that went away while it waited', async () => {
    const test = await createTestSandboxes(folder, { launch: { parallel: 1, queueMs: 60_000 } });
    const { sandboxes, workspace, engine } = test;
    let go: () => void = () => undefined;
    engine.beforeStart = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const first = sandboxes.create(workspace, { name: 'first' });
    await settle();
    const client = new AbortController();
    const second = sandboxes.create(workspace, { name: 'second' }, { signal: client.signal });
    await settle();
    client.abort();
    await expect(second).rejects.toMatchObject({ code: 'request_abandoned' });
    go();
    await first;
    expect(engine.started).toHaveLength(1);
  });
});
