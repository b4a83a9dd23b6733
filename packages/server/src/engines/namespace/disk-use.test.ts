import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, EngineSandbox } from '@sandgate/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runShell } from '../contract/contract-suite.ts';
import { readDiskBytes } from './disk-use.ts';
import { createNamespaceEngine } from './namespace-engine.ts';

let state: string;
let engine: Engine;
let sandbox: EngineSandbox;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-disk-'));
  engine = createNamespaceEngine({ stateDirectory: state });
  sandbox = await engine.start({
    id: '5'.repeat(24),
    hostname: 'box',
    image: 'microsandbox/python',
    resources: { memoryMib: 512, cpus: 1, diskMib: 256, maxProcesses: 64 },
    environment: {},
    workdir: '/workspace',
    mounts: [],
    scripts: {},
  });
});

afterAll(async () => {
  await engine.close();
  rmSync(state, { recursive: true, force: true });
});

/** Numbers of processes are given in turn. */
const nextPid = async (): Promise<number> => Number((await runShell(sandbox, 'echo $$')).stdout);

it('starts no program in a sandbox to tell its metrics', async () => {
  const [first, second] = [await nextPid(), await nextPid()];
  for (let reading = 0; reading < 5; reading += 1) await sandbox.metrics();
  expect((await nextPid()) - second).toBe(second - first);
});

it('tells the same from outside as from inside', async () => {
  await runShell(sandbox, 'head -c 5000000 /dev/zero >big');
  const { diskBytes } = await sandbox.metrics();
  expect(diskBytes).toBe(await readDiskBytes(undefined, (request) => sandbox.exec(request)));
  expect(diskBytes).toBeGreaterThan(5_000_000);
});
