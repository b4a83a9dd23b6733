import { type SandboxState, SandgateError } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes, type TestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
let test: TestSandboxes;
beforeEach(async () => {
  test = await createTestSandboxes(folder);
});

const stateOf = async (name = 'box'): Promise<SandboxState> =>
  (await test.sandboxes.find(test.workspace, name)).state;

describe('a store that fails', () => {
  it('does not lose a sandbox that became ready meanwhile: it is stored when the store is back', async () => {
    const { sandboxes, workspace, storage, time } = test;
    test.failUpdates(3);
    const sandbox = await sandboxes.create(workspace, { name: 'box' });
    expect(sandbox.state).toBe('ready');
    expect(await stateOf()).toBe('ready');
    expect((await sandboxes.list(workspace, {}, { limit: 1 })).items[0]?.state).toBe('ready');
    expect((await storage.sandboxes.findById(sandbox.id))?.state).toBe('starting');
    await time.advance(3_000);
    expect((await storage.sandboxes.findById(sandbox.id))?.state).toBe('ready');
    expect(test.backgroundErrors).toHaveLength(1);
  });

  it('refuses a stop before anything was done, and settles one that was done', async () => {
    const { sandboxes, workspace, storage, engine, time } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    test.failUpdates(1);
    await expect(sandboxes.stop(workspace, 'box')).rejects.toThrow('full');
    expect([await stateOf(), engine.live.size]).toEqual(['ready', 1]);
    // The first write says that it stops; those after it fail.
    test.failUpdates(2, 1);
    const stopping = sandboxes.stop(workspace, 'box');
    expect((await stopping).state).toBe('stopped');
    expect([await stateOf(), engine.live.size]).toEqual(['stopped', 0]);
    await time.advance(2_000);
    expect((await storage.sandboxes.findById(id))?.state).toBe('stopped');
    expect((await sandboxes.usage(workspace)).used.running).toBe(0);
  });

  it('does not keep what was to end by itself, or could not be started', async () => {
    const { sandboxes, workspace, storage, engine, time } = test;
    test.failUpdates(1, 1);
    const job = await sandboxes.create(workspace, { exec: 'job', lifetime: { oneShot: true } });
    await settle();
    await time.advance(5_000);
    expect((await storage.sandboxes.findById(job.id))?.state).toBe('destroyed');
    expect(engine.live.size).toBe(0);
    engine.failStart = new SandgateError('engine_failed', 'No');
    test.failUpdates(2);
    await expect(sandboxes.create(workspace, { name: 'box' })).rejects.toBe(engine.failStart);
    await time.advance(5_000);
    const { items } = await sandboxes.list(workspace, { states: ['destroyed'] }, { limit: 9 });
    expect(items.map(({ name }) => name).toSorted()).toEqual([job.name, 'box'].toSorted());
    expect((await sandboxes.usage(workspace)).used.sandboxes).toBe(0);
    engine.failStart = null;
    await expect(sandboxes.create(workspace, { name: 'box' })).resolves.toBeDefined();
  });

  it('does not keep what ended by itself as running', async () => {
    const { sandboxes, workspace, engine, time } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    const job = await sandboxes.create(workspace, { lifetime: { oneShot: true } });
    test.failLookUps(2);
    for (const each of [id, job.id]) engine.live.get(each)?.end('ended');
    await settle();
    await time.advance(1_000);
    expect(await stateOf()).toBe('stopped');
    await expect(sandboxes.find(workspace, job.id)).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
    expect((await sandboxes.usage(workspace)).used).toMatchObject({ sandboxes: 1, running: 0 });
  });

  it('keeps no other sandbox from being stopped when the server closes', async () => {
    const { sandboxes, workspace, engine } = test;
    const { id } = await sandboxes.create(workspace, { name: 'unlucky' });
    await sandboxes.create(workspace, { name: 'box' });
    test.failLookUps(1);
    await sandboxes.close();
    expect([...engine.live.keys()]).toEqual([id]);
    expect(await stateOf()).toBe('stopped');
  });

  it('lets a newer state win over one that waits for the store', async () => {
    const { sandboxes, workspace, storage, time } = test;
    test.failUpdates(1);
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    await sandboxes.stop(workspace, 'box');
    await time.advance(10_000);
    expect((await storage.sandboxes.findById(id))?.state).toBe('stopped');
  });

  it('leaves a pause where it was, and a resume', async () => {
    const { sandboxes, workspace, engine } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    test.failUpdates(1);
    await expect(sandboxes.pause(workspace, 'box')).rejects.toThrow('full');
    expect([await stateOf(), engine.live.get(id)?.isPaused]).toEqual(['ready', false]);
    await sandboxes.pause(workspace, 'box');
    test.failUpdates(1);
    await expect(sandboxes.resume(workspace, 'box')).rejects.toThrow('full');
    expect([await stateOf(), engine.live.get(id)?.isPaused]).toEqual(['paused', true]);
    await sandboxes.resume(workspace, 'box');
    expect(await stateOf()).toBe('ready');
  });
});

describe('after kill -9', () => {
  it('no state but stopped claims anything, whatever it was in', async () => {
    const { workspace, storage } = test;
    const { id } = await test.sandboxes.create(workspace, { name: 'box' });
    const ready = await storage.sandboxes.findById(id);
    if (ready === null) throw new Error('It is not stored.');
    const states = ['starting', 'ready', 'pausing', 'paused', 'resuming', 'stopping'] as const;
    for (const state of states) {
      await storage.sandboxes.update({ ...ready, state, pausedAtMs: 5 } as typeof ready);
      const sandboxes = await test.crash();
      expect(await sandboxes.find(workspace, 'box')).toMatchObject({
        state: 'stopped',
        pausedAtMs: null,
      });
      expect((await sandboxes.usage(workspace)).used).toMatchObject({ sandboxes: 1, running: 0 });
      expect((await sandboxes.start(workspace, 'box', null)).state).toBe('ready');
      expect(test.engine.live.size).toBe(1);
    }
  });

  it('forgets requests that were in progress, and prunes what is old', async () => {
    const { workspace, storage, time } = test;
    const scope = { owner: 'key:1', method: 'POST', path: '/', key: 'k' };
    const request = { fingerprint: 'f', nowMs: time.nowMs(), expiresAtMs: time.nowMs() + 5 };
    await storage.idempotency.begin(scope, request);
    await test.sandboxes.create(workspace, { name: 'old' });
    const { id } = await test.sandboxes.destroy(workspace, 'old');
    const sandboxes = await test.crash();
    expect(await storage.idempotency.begin(scope, request)).toEqual({ kind: 'begun' });
    expect(await storage.sandboxes.findById(id)).not.toBeNull();
    await time.advance(7 * 86_400_000 + 3_600_000);
    expect(await storage.sandboxes.findById(id)).toBeNull();
    await sandboxes.close();
  });
});

it('puts a sandbox right that ends by itself in any state', async () => {
  const { sandboxes, workspace, engine } = test;
  for (const prepare of [
    async () => undefined,
    async () => await sandboxes.pause(workspace, 'box'),
  ]) {
    const { id } = await sandboxes.start(workspace, 'box', null);
    await prepare();
    engine.live.get(id)?.end('ended');
    await settle();
    expect(await sandboxes.find(workspace, 'box')).toMatchObject({
      state: 'stopped',
      pausedAtMs: null,
    });
    expect((await sandboxes.usage(workspace)).used.running).toBe(0);
  }
});

it('tells of an engine that cannot store files, and lets the sandbox start again', async () => {
  const { sandboxes, workspace, engine } = test;
  const { id } = await sandboxes.create(workspace, { name: 'box' });
  engine.layerBytes = Number.MAX_SAFE_INTEGER;
  await expect(sandboxes.stop(workspace, 'box')).rejects.toBeInstanceOf(SandgateError);
  expect(await sandboxes.find(workspace, 'box')).toMatchObject({
    id,
    state: 'failed',
    failure: 'The files of the last run could not be kept',
  });
  expect((await sandboxes.start(workspace, 'box', null)).state).toBe('ready');
});

it('goes on with a sandbox that is too busy to say how it is', async () => {
  const { sandboxes, workspace, engine } = test;
  const { id } = await sandboxes.create(workspace, { name: 'box' });
  engine.onMetrics = () => Promise.reject(new SandgateError('sandbox_busy', 'It is busy'));
  expect(await sandboxes.start(workspace, 'box', null)).toMatchObject({ id, state: 'ready' });
  expect(await sandboxes.read(workspace, 'box')).toMatchObject([{ running: true, metrics: null }]);
  engine.onMetrics = () => Promise.reject(new SandgateError('sandbox_ended', 'It has ended'));
  const started = sandboxes.start(workspace, 'box', null);
  await settle();
  engine.live.get(id)?.end('ended');
  expect((await started).state).toBe('ready');
  expect(engine.started).toHaveLength(2);
});

it('ends what the engine could not end as soon as it can', async () => {
  const { sandboxes, workspace, engine, time } = test;
  await sandboxes.create(workspace, { name: 'box' });
  engine.failStop = new SandgateError('engine_failed', 'The daemon is busy');
  engine.outlivesFailedStop = true;
  await expect(sandboxes.destroy(workspace, 'box')).rejects.toBe(engine.failStop);
  expect([engine.live.size, await stateOf()]).toEqual([1, 'failed']);
  engine.failStop = null;
  await time.advance(1_000);
  expect(engine.live.size).toBe(0);
});

it('keeps no values of the environment of what is destroyed', async () => {
  const { sandboxes, workspace, storage } = test;
  const { id } = await sandboxes.create(workspace, { environment: { TOKEN: 'a secret' } });
  await sandboxes.destroy(workspace, id);
  expect(JSON.stringify(await storage.sandboxes.findById(id))).not.toContain('a secret');
});

it('starts no other sandbox of the name than the one of the id', async () => {
  const { sandboxes, workspace, engine } = test;
  const { id } = await sandboxes.create(workspace, { name: 'box' });
  await sandboxes.stop(workspace, id);
  const destroyed = sandboxes.destroy(workspace, id);
  const made = sandboxes.create(workspace, { name: 'box' });
  const started = sandboxes.start(workspace, id, null);
  await destroyed;
  await expect(started).rejects.toMatchObject({ code: 'sandbox_not_found' });
  await made.catch(() => undefined);
  expect(engine.started.filter((spec) => spec.id === id)).toHaveLength(1);
});
