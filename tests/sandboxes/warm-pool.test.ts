import { SandgateError, unlimitedSandboxes } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
const withPool = async (
  pool: Record<string, number>,
  policy: Parameters<typeof createTestSandboxes>[1] = {},
) => {
  const test = await createTestSandboxes(folder, { pool, ...policy });
  await settle();
  return test;
};

describe('a pool', () => {
  it('is filled with started sandboxes and kernels, gives one away at once, and is filled again', async () => {
    const { sandboxes, workspace, engine, states } = await withPool({ python: 2 });
    expect(engine.started).toHaveLength(2);
    expect(engine.runs).toHaveLength(2);
    expect(sandboxes.runningCount()).toBe(0);
    const warm = engine.started.map(({ id }) => id);
    let launched = 0;
    engine.beforeStart = async () => {
      launched += 1;
      await new Promise(() => undefined);
    };
    const sandbox = await sandboxes.create(workspace, { name: 'box', labels: { a: 'b' } });
    expect(warm).toContain(sandbox.id);
    expect(states).toEqual(['box:starting', 'box:ready']);
    expect(launched).toBe(1);
    expect((await sandboxes.usage(workspace)).used).toMatchObject({ sandboxes: 1, running: 1 });
    expect(
      await sandboxes.exec(workspace, 'box', { argv: ['true'], onOutput: () => undefined }),
    ).toEqual({ kind: 'exited', exitCode: 0 });
  });

  it.each([
    ['another template', { template: 'node' }],
    ['other resources', { resources: { memoryMib: 512 } }],
    ['an environment', { environment: { A: '1' } }],
    ['another network', { egress: { mode: 'open' } }],
  ] as const)('gives none away for %s', async (_, requested) => {
    const { sandboxes, workspace, engine } = await withPool({ python: 1 });
    const warm = engine.started[0]?.id;
    const sandbox = await sandboxes.create(workspace, requested);
    expect(sandbox.id).not.toBe(warm);
    expect(engine.live.has(warm ?? '')).toBe(true);
  });

  it('keeps those that a refused request would have taken', async () => {
    const limitsOf = () => ({ ...unlimitedSandboxes, sandboxes: 0 });
    const { sandboxes, workspace, engine } = await withPool({ python: 1 }, { limitsOf });
    const warm = engine.started[0]?.id ?? '';
    for (let tries = 1; tries <= 3; tries += 1) {
      await expect(sandboxes.create(workspace, {})).rejects.toMatchObject({ code: 'plan_refused' });
    }
    await settle();
    expect(engine.started).toHaveLength(1);
    expect(engine.live.has(warm)).toBe(true);
  });

  it('runs the main command of one that is taken', async () => {
    const { sandboxes, workspace, engine } = await withPool({ python: 1 });
    const warm = engine.started[0]?.id;
    const { id } = await sandboxes.create(workspace, { exec: 'serve' });
    expect(id).toBe(warm);
    expect(engine.executed).toEqual([{ id, argv: ['/bin/sh', '-c', 'serve'] }]);
  });

  it('makes room for those that somebody wants, and never takes more than the host has', async () => {
    const { sandboxes, workspace, engine } = await withPool({ python: 3 }, { maxSandboxes: 2 });
    expect(engine.live.size).toBe(2);
    await sandboxes.create(workspace, { template: 'node', name: 'a' });
    await sandboxes.create(workspace, { template: 'node', name: 'b' });
    await settle();
    expect(engine.live.size).toBe(2);
    expect(sandboxes.runningCount()).toBe(2);
    await expect(sandboxes.create(workspace, {})).rejects.toMatchObject({
      code: 'capacity_exceeded',
    });
  });

  it('replaces one that ended, and tries again when one cannot start', async () => {
    const { engine, time, backgroundErrors, sandboxes } = await withPool({ python: 1, cobol: 1 });
    expect(backgroundErrors).toHaveLength(1);
    const [first] = engine.live.keys();
    engine.failStart = new SandgateError('engine_failed', 'No');
    engine.live.get(first ?? '')?.end('ended');
    await time.advance(5_000);
    expect(engine.live.size).toBe(0);
    engine.failStart = null;
    await time.advance(5_000);
    expect(engine.live.size).toBe(1);
    await sandboxes.close();
    expect(engine.live.size).toBe(0);
  });

  it('keeps nothing of one whose kernel does not start, and is closed whatever cannot be stopped', async () => {
    const { engine, sandboxes, workspace, time, backgroundErrors } = await withPool({ python: 1 });
    const [first] = engine.live.keys();
    engine.onRun = () => Promise.reject(new SandgateError('kernel_failed', 'No'));
    engine.live.get(first ?? '')?.end('ended');
    await time.advance(5_000);
    expect(engine.started).toHaveLength(2);
    expect(engine.live.size).toBe(0);
    engine.onRun = async () => ({ kind: 'completed' });
    await time.advance(5_000);
    await sandboxes.create(workspace, { template: 'node', name: 'box' });
    expect(engine.live.size).toBe(2);
    engine.failStop = new SandgateError('engine_failed', 'No');
    const before = backgroundErrors.length;
    await sandboxes.close();
    expect(engine.live.size).toBe(0);
    expect(backgroundErrors).toHaveLength(before + 2);
  });

  it('keeps the one that a create in vain would have taken, and gives it to the next', async () => {
    const test = await withPool({ python: 1 });
    const { sandboxes, workspace, engine } = test;
    await sandboxes.create(workspace, { name: 'box' });
    await settle();
    const warm = engine.started.at(-1)?.id ?? '';
    await expect(sandboxes.create(workspace, { name: 'box' })).rejects.toMatchObject({
      code: 'sandbox_exists',
    });
    await settle();
    expect((await sandboxes.usage(workspace)).used).toMatchObject({ sandboxes: 1, running: 1 });
    expect((await sandboxes.create(workspace, { name: 'next' })).id).toBe(warm);
  });
});
