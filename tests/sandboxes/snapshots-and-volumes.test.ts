import { SandgateError, unlimitedSandboxes } from '@sandgate/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes, type TestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
let test: TestSandboxes;
beforeEach(async () => {
  test = await createTestSandboxes(folder, {
    limitsOf: () => ({ ...unlimitedSandboxes, snapshots: 3, volumes: 2, volumeMib: 100 }),
  });
  test.engine.layerBytes = 50;
});

const ready = async (id: string) =>
  await test.sandboxes.waitForSnapshot(test.workspace, id, { timeoutMs: 60_000 });

describe('a snapshot', () => {
  it('is made in the background, one at a time, and begins a new sandbox', async () => {
    const { sandboxes, workspace, engine, other } = test;
    const box = await sandboxes.create(workspace, { name: 'box', environment: { A: '1' } });
    let go: () => void = () => undefined;
    engine.beforeSnapshot = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const snapshot = await sandboxes.createSnapshot(workspace, 'box', { name: 'first' });
    expect(snapshot).toMatchObject({ state: 'creating', sandboxId: box.id, template: 'python' });
    await expect(sandboxes.createSnapshot(workspace, 'box', {})).rejects.toMatchObject({
      code: 'sandbox_busy',
    });
    await expect(sandboxes.create(workspace, { fromSnapshot: snapshot.id })).rejects.toMatchObject({
      code: 'snapshot_not_ready',
    });
    await settle();
    const done = ready(snapshot.id);
    go();
    expect(await done).toMatchObject({ state: 'ready', sizeBytes: 50 });
    await expect(sandboxes.findSnapshot(other, snapshot.id)).rejects.toMatchObject({
      code: 'snapshot_not_found',
    });
    await sandboxes.destroy(workspace, 'box');
    const restored = await sandboxes.create(workspace, { fromSnapshot: snapshot.id });
    expect(restored).toMatchObject({
      fromSnapshot: snapshot.id,
      template: 'python',
      definition: { environment: { A: '1' } },
    });
    expect(engine.started.at(-1)).toMatchObject({ fromSnapshot: snapshot.id });
    await sandboxes.deleteSnapshot(workspace, snapshot.id);
    expect(engine.storedSnapshots.size).toBe(0);
    expect((await sandboxes.usage(workspace)).used.snapshots).toBe(0);
    await sandboxes.stop(workspace, restored.id);
    await sandboxes.start(workspace, restored.id, null);
    expect(engine.started.at(-1)).not.toHaveProperty('fromSnapshot');
  });

  it('is deleted as soon as it is there when it is deleted while it is being made', async () => {
    const { sandboxes, workspace, engine } = test;
    await sandboxes.create(workspace, { name: 'box' });
    let go: () => void = () => undefined;
    engine.beforeSnapshot = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const { id } = await sandboxes.createSnapshot(workspace, 'box', {});
    await settle();
    const deleted = sandboxes.deleteSnapshot(workspace, id);
    go();
    await deleted;
    expect(engine.storedSnapshots.size).toBe(0);
    expect((await sandboxes.listSnapshots(workspace, {}, { limit: 9 })).total).toBe(0);
  });

  it('leaves no files behind when it expires while it is being made', async () => {
    const { sandboxes, workspace, engine, time } = test;
    await sandboxes.create(workspace, { name: 'box' });
    let go: () => void = () => undefined;
    engine.beforeSnapshot = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    await sandboxes.createSnapshot(workspace, 'box', { expiresAtMs: time.nowMs() + 5 });
    await time.advance(5);
    go();
    await settle();
    expect(engine.storedSnapshots.size).toBe(0);
    expect((await sandboxes.listSnapshots(workspace, {}, { limit: 9 })).total).toBe(0);
    expect((await sandboxes.usage(workspace)).used.snapshots).toBe(0);
  });

  it('is told of when it is stored, and not before', async () => {
    const { sandboxes, workspace, storage, time } = test;
    await sandboxes.create(workspace, { name: 'box' });
    vi.spyOn(storage.snapshots, 'update').mockRejectedValueOnce(new Error('The disk is full.'));
    const { id } = await sandboxes.createSnapshot(workspace, 'box', {});
    let told = '';
    const done = ready(id).then(({ state }) => {
      told = state;
    });
    await settle();
    expect([told, (await sandboxes.findSnapshot(workspace, id)).state]).toEqual(['', 'creating']);
    await time.advance(1_000);
    await done;
    expect(told).toBe('ready');
  });

  it('says why it failed, and counts no more', async () => {
    const { sandboxes, workspace, engine } = test;
    await sandboxes.create(workspace, { name: 'box' });
    engine.beforeSnapshot = () =>
      Promise.reject(new SandgateError('disk_full', 'The disk is full'));
    const { id } = await sandboxes.createSnapshot(workspace, 'box', { name: 'x' });
    expect(await ready(id)).toMatchObject({ state: 'failed', failureReason: 'The disk is full' });
    expect((await sandboxes.usage(workspace)).used.snapshots).toBe(0);
    engine.beforeSnapshot = async () => undefined;
    expect(
      await ready((await sandboxes.createSnapshot(workspace, 'box', { name: 'x' })).id),
    ).toMatchObject({
      state: 'ready',
    });
    await expect(sandboxes.createSnapshot(workspace, 'box', { name: 'x' })).rejects.toMatchObject({
      code: 'snapshot_exists',
    });
    await expect(sandboxes.createSnapshot(workspace, 'box', { name: 'No!' })).rejects.toMatchObject(
      { code: 'invalid_request' },
    );
  });

  it('is one of so many by the plan, and goes when it expires', async () => {
    const { sandboxes, workspace, time, engine } = test;
    await sandboxes.create(workspace, { name: 'box' });
    for (const name of ['a', 'b', 'c']) {
      const expiresAtMs = name === 'a' ? time.nowMs() + 5_000 : null;
      await ready((await sandboxes.createSnapshot(workspace, 'box', { name, expiresAtMs })).id);
      await settle();
    }
    const another = () => sandboxes.createSnapshot(workspace, 'box', { name: 'd' });
    await expect(another()).rejects.toMatchObject({
      code: 'plan_refused',
      data: { resource: 'snapshots', allowed: 3 },
    });
    await time.advance(5_000);
    expect(engine.storedSnapshots.size).toBe(2);
    await ready((await another()).id);
  });

  it('is settled at the start after a crash: what was being made failed, what is gone is told', async () => {
    const { workspace, engine } = test;
    await test.sandboxes.create(workspace, { name: 'box' });
    const kept = await test.sandboxes.createSnapshot(workspace, 'box', { name: 'kept' });
    await ready(kept.id);
    await settle();
    const lost = await test.sandboxes.createSnapshot(workspace, 'box', { name: 'lost' });
    await ready(lost.id);
    await settle();
    engine.storedSnapshots.delete(lost.id);
    engine.beforeSnapshot = () => new Promise(() => undefined);
    const half = await test.sandboxes.createSnapshot(workspace, 'box', { name: 'half' });
    await settle();
    engine.storedSnapshots.set(half.id, 10);
    const sandboxes = await test.crash();
    const { items } = await sandboxes.listSnapshots(workspace, {}, { limit: 9 });
    expect(Object.fromEntries(items.map(({ name, state }) => [name, state]))).toEqual({
      kept: 'ready',
      lost: 'failed',
      half: 'failed',
    });
    expect([...engine.storedSnapshots.keys()]).toEqual([kept.id]);
    expect((await sandboxes.usage(workspace)).used.snapshots).toBe(1);
  });

  it('is made by a schedule, at its times, and the newest of them are kept', async () => {
    const { sandboxes, workspace, time, engine } = test;
    await sandboxes.create(workspace, {
      name: 'box',
      snapshotSchedule: { cron: '*/10 * * * *', keep: 2 },
    });
    const names = async () =>
      (await sandboxes.listSnapshots(workspace, { automatic: true }, { limit: 9 })).items.map(
        ({ name }) => name,
      );
    const toNextMs = 600_000 - (time.nowMs() % 600_000);
    await time.advance(toNextMs - 1);
    expect(await names()).toEqual([]);
    await time.advance(1);
    const [first] = await names();
    expect(first).toMatch(/^auto-\d{8}t\d{9}z$/);
    await sandboxes.pause(workspace, 'box');
    await time.advance(600_000);
    expect(await names()).toEqual([first]);
    await sandboxes.resume(workspace, 'box');
    await time.advance(1_200_000);
    expect(await names()).toHaveLength(2);
    expect(await names()).not.toContain(first);
    expect(engine.storedSnapshots.size).toBe(2);
    await sandboxes.update(workspace, 'box', { snapshotSchedule: null });
    await time.advance(6_000_000);
    expect(await names()).toHaveLength(2);
  });
});

describe('a volume', () => {
  const create = (name: string, sizeMib = 10) =>
    test.sandboxes.createVolume(test.workspace, { name, sizeMib });

  it('leaves no disk behind when it is deleted while it is being made', async () => {
    const { sandboxes, workspace, engine } = test;
    const { volumes } = engine;
    if (volumes === undefined) throw new Error('The engine has no volumes.');
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    engine.volumes = {
      ...volumes,
      create: (id, options) => held.then(() => volumes.create(id, options)),
    };
    const created = create('data');
    await settle();
    const deleted = sandboxes.deleteVolume(workspace, 'data');
    await settle();
    go();
    await Promise.all([created, deleted]);
    expect(engine.storedVolumes.size).toBe(0);
    expect((await sandboxes.usage(workspace)).used.volumes).toBe(0);
  });

  it('outlives its sandbox, and belongs to one at a time', async () => {
    const { sandboxes, workspace, engine } = test;
    const { id } = await create('data');
    const volumes = [{ volumeId: id, guestPath: '/data' }];
    const box = await sandboxes.create(workspace, { name: 'box', volumes });
    expect(engine.started.at(-1)?.volumes).toEqual([
      { volumeId: id, guestPath: '/data', readOnly: false },
    ]);
    expect(await sandboxes.findVolume(workspace, 'data')).toMatchObject({
      attachedSandboxId: box.id,
      guestPath: '/data',
    });
    const attached = { code: 'volume_attached' };
    await expect(sandboxes.create(workspace, { name: 'two', volumes })).rejects.toMatchObject(
      attached,
    );
    expect((await sandboxes.usage(workspace)).used.sandboxes).toBe(1);
    await expect(sandboxes.deleteVolume(workspace, 'data')).rejects.toMatchObject(attached);
    await sandboxes.stop(workspace, 'box');
    await sandboxes.create(workspace, { name: 'two', volumes });
    await expect(sandboxes.start(workspace, 'box', null)).rejects.toMatchObject(attached);
    await sandboxes.destroy(workspace, 'two');
    expect(await sandboxes.start(workspace, 'box', null)).toMatchObject({ state: 'ready' });
    engine.live.get(box.id)?.end('ended');
    await settle();
    expect(await sandboxes.deleteVolume(workspace, id)).toMatchObject({ name: 'data' });
    expect(engine.storedVolumes.size).toBe(0);
  });

  it('is given to one of many sandboxes that want it at once', async () => {
    const { sandboxes, workspace } = test;
    const { id } = await create('data');
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        sandboxes.create(workspace, { volumes: [{ volumeId: id, guestPath: '/data' }] }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(test.engine.live.size).toBe(1);
  });

  it('is bounded in size and number by the plan, and has a name of its own', async () => {
    await create('a');
    await expect(create('a')).rejects.toMatchObject({
      code: 'volume_exists',
      message: 'A volume named "a" already exists',
    });
    await expect(create('b', 101)).rejects.toMatchObject({
      code: 'plan_refused',
      data: { resource: 'volumeMib', allowed: 100 },
    });
    await create('b', 100);
    await expect(create('c')).rejects.toMatchObject({
      code: 'plan_refused',
      data: { resource: 'volumes', allowed: 2 },
    });
    await test.sandboxes.deleteVolume(test.workspace, 'a');
    await create('c');
    await expect(create('No!', 0)).rejects.toThrow('; ');
  });

  it('leaves nothing when it cannot be made', async () => {
    test.engine.failVolume = new SandgateError('disk_full', 'The disk is full');
    await expect(create('data')).rejects.toMatchObject({ code: 'disk_full' });
    expect((await test.sandboxes.listVolumes(test.workspace, {}, { limit: 9 })).total).toBe(0);
    expect((await test.sandboxes.usage(test.workspace)).used.volumes).toBe(0);
  });

  it('is free after a crash, and what was begun is finished', async () => {
    const { workspace, storage } = test;
    const { id } = await create('data');
    await test.sandboxes.create(workspace, { volumes: [{ volumeId: id, guestPath: '/data' }] });
    const removed = await create('removed');
    await storage.volumes.beginRemoval(removed.id, 1);
    const sandboxes = await test.crash();
    expect(await sandboxes.findVolume(workspace, id)).toMatchObject({ attachedSandboxId: null });
    expect((await sandboxes.listVolumes(workspace, {}, { limit: 9 })).total).toBe(1);
    expect(test.engine.storedVolumes.has(removed.id)).toBe(false);
    expect((await sandboxes.usage(workspace)).used).toMatchObject({ volumes: 1, volumeMib: 10 });
  });
});
