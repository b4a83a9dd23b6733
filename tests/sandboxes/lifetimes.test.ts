import type { ExecOutcome } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes, type TestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
let test: TestSandboxes;
beforeEach(async () => {
  test = await createTestSandboxes(folder);
});

const minute = 60_000;
const day = 1_440 * minute;
const exec = (name = 'box') =>
  test.sandboxes.exec(test.workspace, name, { argv: ['true'], onOutput: () => undefined });

describe('a sandbox with an end', () => {
  it('is destroyed at its very millisecond, and not one before', async () => {
    const { sandboxes, workspace, time, states } = test;
    await sandboxes.create(workspace, { name: 'box', lifetime: { expiresInMs: 100 * day } });
    await time.advance(100 * day - 1);
    expect(states.at(-1)).toBe('box:ready');
    await time.advance(1);
    expect(states.slice(-2)).toEqual(['box:stopped', 'box:destroyed(expired)']);
    expect(test.engine.live.size).toBe(0);
    expect(test.ended).toEqual(['box:expired']);
  });

  it('lives longer or shorter when it is told so', async () => {
    const { sandboxes, workspace, time, states } = test;
    await sandboxes.create(workspace, { name: 'box', lifetime: { expiresInMs: minute } });
    await sandboxes.create(workspace, { name: 'endless', lifetime: { expiresInMs: minute } });
    await time.advance(minute - 1);
    await sandboxes.update(workspace, 'box', { lifetime: { expiresInMs: day } });
    await sandboxes.update(workspace, 'endless', { lifetime: { expiresInMs: null } });
    await time.advance(day - 1);
    expect(states.filter((state) => state.includes('destroyed'))).toEqual([]);
    await sandboxes.update(workspace, 'endless', { lifetime: { expiresInMs: 5 } });
    await time.advance(5);
    expect(states.filter((state) => state.includes('destroyed'))).toEqual([
      'box:destroyed(expired)',
      'endless:destroyed(expired)',
    ]);
  });

  it('lives on when it was extended before its end, and the turn to destroy it came after that', async () => {
    const { sandboxes, workspace, engine, time } = test;
    await sandboxes.create(workspace, { name: 'box', lifetime: { expiresInMs: minute } });
    let go: () => void = () => undefined;
    engine.beforeSnapshot = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    await sandboxes.createSnapshot(workspace, 'box', {});
    await time.advance(minute - 1);
    const extended = sandboxes.update(workspace, 'box', { lifetime: { expiresInMs: day } });
    await time.advance(1);
    go();
    await extended;
    await time.advance(day - 2);
    expect((await sandboxes.find(workspace, 'box')).state).toBe('ready');
    await time.advance(2);
    expect(test.states.at(-1)).toBe('box:destroyed(expired)');
  });

  it('is destroyed when it has stopped too, or when its time passed while the server was down', async () => {
    const { workspace, time, states } = test;
    const lifetime = { expiresInMs: 2 * minute };
    await test.sandboxes.create(workspace, { name: 'stopped', lifetime });
    await test.sandboxes.create(workspace, { name: 'box', lifetime });
    await test.sandboxes.stop(workspace, 'stopped');
    await time.advance(2 * minute - 1);
    const sandboxes = await test.crash();
    await time.advance(1);
    const page = await sandboxes.list(workspace, { states: ['destroyed'] }, { limit: 9 });
    expect(page.items.map(({ name }) => name).toSorted()).toEqual(['box', 'stopped']);
    expect(states.at(-1)).toContain('destroyed(expired)');
  });

  it('is destroyed so long after it was created, however it is used and extended', async () => {
    const { sandboxes, workspace, time, states } = test;
    await sandboxes.create(workspace, { name: 'box', lifetime: { maxLifetimeMs: 10 * minute } });
    await time.advance(9 * minute);
    await exec();
    await sandboxes.update(workspace, 'box', { lifetime: { expiresInMs: day } });
    await time.advance(minute);
    expect(states.at(-1)).toBe('box:destroyed(max_lifetime)');
  });
});

describe('an idle sandbox', () => {
  it('is destroyed when nothing was asked of it for so long', async () => {
    const { sandboxes, workspace, time, states } = test;
    await sandboxes.create(workspace, { name: 'box', lifetime: { idleTimeoutMs: 10 * minute } });
    await time.advance(9 * minute);
    await exec();
    await time.advance(9 * minute);
    await sandboxes.runCode(workspace, 'box', 'python', { code: '', onOutput: () => undefined });
    await time.advance(10 * minute - 1);
    expect(states.at(-1)).toBe('box:ready');
    await time.advance(1);
    expect(states.at(-1)).toBe('box:destroyed(idle)');
  });

  it('is not idle while a call goes on or a connection is open, and then counts from its end', async () => {
    const { sandboxes, workspace, time, engine, states } = test;
    await sandboxes.create(workspace, { name: 'box', lifetime: { idleTimeoutMs: 10 * minute } });
    let end: (outcome: ExecOutcome) => void = () => undefined;
    engine.onExec = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const long = exec();
    await time.advance(day);
    const connection = await sandboxes.dial(workspace, 'box', 80);
    end({ kind: 'exited', exitCode: 0 });
    await long;
    await time.advance(day);
    expect(states.at(-1)).toBe('box:ready');
    connection.destroy();
    await settle();
    await time.advance(10 * minute - 1);
    expect(states.at(-1)).toBe('box:ready');
    await time.advance(1);
    expect(states.at(-1)).toBe('box:destroyed(idle)');
  });

  it('remembers over a crash when it was last used', async () => {
    const { workspace, time, states } = test;
    await test.sandboxes.create(workspace, {
      name: 'box',
      lifetime: { idleTimeoutMs: 10 * minute },
    });
    await time.advance(8 * minute);
    await exec();
    await time.advance(minute);
    await test.crash();
    await time.advance(9 * minute - 1);
    expect(states.at(-1)).not.toContain('destroyed');
    await time.advance(1);
    expect(states.at(-1)).toBe('box:destroyed(idle)');
  });

  it('is not idle but paused when it is paused, for so long', async () => {
    const { sandboxes, workspace, time, states } = test;
    const lifetime = { idleTimeoutMs: minute, pausedTimeoutMs: day };
    await sandboxes.create(workspace, { name: 'box', lifetime });
    await sandboxes.pause(workspace, 'box');
    await time.advance(day - 1);
    await sandboxes.resume(workspace, 'box');
    await sandboxes.pause(workspace, 'box');
    await time.advance(day - 1);
    expect(states.at(-1)).toBe('box:paused');
    await time.advance(1);
    expect(states.at(-1)).toBe('box:destroyed(paused_too_long)');
  });
});

describe('a one-shot sandbox', () => {
  it('is destroyed when its main command ends', async () => {
    const { sandboxes, workspace, engine, states } = test;
    let end: (outcome: ExecOutcome) => void = () => undefined;
    engine.onExec = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    await sandboxes.create(workspace, { name: 'box', exec: 'job', lifetime: { oneShot: true } });
    await settle();
    expect(states.at(-1)).toBe('box:ready');
    end({ kind: 'exited', exitCode: 3 });
    await settle();
    expect(states.at(-1)).toBe('box:destroyed(one_shot)');
  });

  it('is destroyed when it stops in any other way: by itself, by a call, or by a crash', async () => {
    const { sandboxes, workspace, engine, states } = test;
    const lifetime = { oneShot: true };
    const { id } = await sandboxes.create(workspace, { name: 'ends', lifetime });
    engine.live.get(id)?.end('ended');
    await settle();
    expect(states.at(-1)).toBe('ends:destroyed(one_shot)');
    await sandboxes.create(workspace, { name: 'stopped', lifetime });
    expect((await sandboxes.stop(workspace, 'stopped')).state).toBe('destroyed');
    const { id: lost } = await sandboxes.create(workspace, { name: 'lost', lifetime });
    const restarted = await test.crash();
    expect(await restarted.find(workspace, lost, { includeDestroyed: true })).toMatchObject({
      state: 'destroyed',
      destroyReason: 'one_shot',
    });
  });
});

it('tries again to destroy what could not be destroyed', async () => {
  const { sandboxes, workspace, time, states, backgroundErrors } = test;
  await sandboxes.create(workspace, { name: 'box', lifetime: { expiresInMs: minute } });
  test.failUpdates(1);
  await time.advance(minute);
  expect(states.at(-1)).toBe('box:ready');
  expect(backgroundErrors).toHaveLength(1);
  await time.advance(1_000);
  expect(states.at(-1)).toBe('box:destroyed(expired)');
});

it('leaves no timer behind when it is closed', async () => {
  const { sandboxes, workspace, time } = test;
  await sandboxes.create(workspace, {
    snapshotSchedule: { cron: '* * * * *', keep: 1 },
    lifetime: { expiresInMs: day, idleTimeoutMs: day },
  });
  await sandboxes.close();
  expect(time.waiting).toBe(0);
  expect(test.engine.live.size).toBe(0);
});
