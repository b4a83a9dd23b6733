import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  createSandboxes,
  newWorkspace,
  type Sandboxes,
  type Storage,
  standardSandboxPolicy,
  type Timers,
  type Workspace,
} from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNamespaceEngine } from '../../packages/server/src/engines/namespace/namespace-engine.ts';
import { createSandboxLogs } from '../../packages/server/src/process/sandbox-log.ts';
import { nextCronMs } from '../../packages/server/src/schedule/next-cron.ts';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';

/** The sandbox domain over a real engine: what a scripted one cannot tell. */
const clock: Clock = { nowMs: () => Date.now() };
const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
const errors: unknown[] = [];
let home: string;
let storage: Storage;
let sandboxes: Sandboxes;
let workspace: Workspace;

beforeAll(async () => {
  home = mkdtempSync(join(realpathSync(tmpdir()), 'sandgate-domain-'));
  storage = await openSqliteStorage({ file: join(home, 'sandgate.db') });
  workspace = await storage.workspaces.insertIfAbsent(
    newWorkspace({
      id: '1'.repeat(24),
      uuid: '00000000-0000-4000-8000-000000000001',
      slug: 'team',
      createdAtMs: clock.nowMs(),
    }),
  );
  sandboxes = createSandboxes({
    storage,
    engine: createNamespaceEngine({ stateDirectory: home }),
    sealer: { open: () => null },
    clock,
    timers,
    randomness: { bytes: (length) => randomBytes(length) },
    policy: {
      ...standardSandboxPolicy,
      defaults: { memoryMib: 256, cpus: 1, diskMib: 64, maxProcesses: 64 },
      pool: { python: 1 },
      realPath: () => null,
      stored: {
        sandboxesPerWorkspace: 100,
        sandboxes: 100,
        layerBytesPerWorkspace: 100_000_000,
        layerBytes: 100_000_000,
      },
    },
    logs: createSandboxLogs(home),
    callerKey: () => null,
    onEnded: async () => undefined,
    nextCronMs,
    onBackgroundError: (error) => void errors.push(error),
  });
  await sandboxes.reconcile();
});
afterAll(async () => {
  await sandboxes.close();
  await storage.close();
  rmSync(home, { recursive: true, force: true });
  expect(errors).toEqual([]);
});

const run = async (reference: string, line: string): Promise<string> => {
  let output = '';
  await sandboxes.exec(workspace, reference, {
    argv: ['/bin/sh', '-c', line],
    onOutput: ({ data }) => {
      output += data.toString();
    },
  });
  return output.trim();
};

describe('on a real engine', () => {
  it('a create takes what the pool has ready, kernel included, and another one fills its place', async () => {
    const taken: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const { id } = await sandboxes.create(workspace, {});
      let output = '';
      const outcome = await sandboxes.runCode(workspace, id, 'python', {
        code: 'print(6 * 7)',
        onOutput: ({ data }) => {
          output += data.toString();
        },
      });
      expect([outcome.kind, output]).toEqual(['completed', '42\n']);
      taken.push(id);
    }
    expect(new Set(taken).size).toBe(2);
    for (const id of taken) await sandboxes.destroy(workspace, id);
  });

  it('a snapshot of a volume-less sandbox restores, and a volume follows from one to the next', async () => {
    const volume = await sandboxes.createVolume(workspace, { name: 'data', sizeMib: 16 });
    const volumes = [{ volumeId: volume.id, guestPath: '/data' }];
    const first = await sandboxes.create(workspace, { name: 'first', volumes });
    await run('first', 'echo kept > /data/file; echo layered > /workspace/file');
    const { id } = await sandboxes.createSnapshot(workspace, 'first', { name: 'one' });
    const snapshot = await sandboxes.waitForSnapshot(workspace, id, { timeoutMs: 20_000 });
    expect(snapshot).toMatchObject({ state: 'ready' });
    await sandboxes.destroy(workspace, first.id);
    await sandboxes.create(workspace, { name: 'second', fromSnapshot: id, volumes });
    expect(await run('second', 'cat /data/file /workspace/file')).toBe('kept\nlayered');
    await sandboxes.destroy(workspace, 'second');
    await sandboxes.deleteVolume(workspace, 'data');
    await sandboxes.deleteSnapshot(workspace, id);
    expect((await sandboxes.usage(workspace)).used).toMatchObject({
      sandboxes: 0,
      snapshots: 0,
      volumes: 0,
    });
  });

  it('a background process is written to, read from, paused with its sandbox and ended', async () => {
    await sandboxes.create(workspace, { name: 'box' });
    const { id } = await sandboxes.startProcess(workspace, 'box', {
      command: { line: 'while read line; do echo "got $line"; done; sleep 60' },
      stdin: true,
    });
    const client = new AbortController();
    const output = sandboxes
      .processOutput(workspace, 'box', id, { follow: true, signal: client.signal })
      [Symbol.asyncIterator]();
    await sandboxes.writeProcessInput(workspace, 'box', id, Buffer.from('one\n'));
    expect(String((await output.next()).value.data)).toBe('got one\n');
    await sandboxes.pause(workspace, 'box');
    const waiting = output.next();
    await sandboxes.resume(workspace, 'box');
    await sandboxes.writeProcessInput(workspace, 'box', id, Buffer.from('two\n'), { end: true });
    expect(String((await waiting).value.data)).toBe('got two\n');
    await sandboxes.signalProcess(workspace, 'box', id, 'SIGTERM');
    const ended = await sandboxes.waitForProcess(workspace, 'box', id, { timeoutMs: 20_000 });
    expect(ended.end).toEqual({ kind: 'exited', exitCode: 143 });
    expect(await output.next()).toMatchObject({ done: true });
    const { samples } = await sandboxes.stats(workspace, 'box', { sinceMs: 0 });
    expect(samples.at(-1)?.processes).toBeGreaterThan(0);
    await sandboxes.destroy(workspace, 'box');
  });

  it('a one-shot sandbox goes with its main command', async () => {
    const { id } = await sandboxes.create(workspace, {
      exec: 'echo working; read line < /dev/null; exit 3',
      lifetime: { oneShot: true },
    });
    const gone = await sandboxes.wait(workspace, id, { states: [], timeoutMs: 20_000 });
    expect(gone).toMatchObject({ state: 'destroyed', destroyReason: 'one_shot' });
  });
});
