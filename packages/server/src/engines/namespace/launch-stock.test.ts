import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, EngineSandboxSpec } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../contract/contract-suite.ts';
import { readRecordedProcess } from './launch-sandbox.ts';
import { createNamespaceEngine } from './namespace-engine.ts';
import { createRuntimeDirectory } from './runtime-directory.ts';

let state: string;
let engine: Engine;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
  engine = createNamespaceEngine({ stateDirectory: state });
});

afterEach(async () => {
  await engine.close();
  rmSync(state, { recursive: true, force: true });
});

function spec(overrides: Partial<EngineSandboxSpec> = {}): EngineSandboxSpec {
  return {
    id: randomBytes(12).toString('hex'),
    hostname: 'box',
    image: 'microsandbox/node',
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
    environment: {},
    workdir: '/workspace',
    mounts: [],
    scripts: {},
    ...overrides,
  };
}

describe('launches in stock', () => {
  const names = (): string[] => readdirSync(createRuntimeDirectory(state).sandboxes);

  it('are for sandboxes with the same limits alone, and leave nothing behind', async () => {
    const made = (first: number): string[] => [0, 1, 2, 3].map((at) => `stock-${first + at}`);
    const first = spec();
    await engine.start(first);
    await expect.poll(() => names().sort()).toEqual([first.id, ...made(1)].sort());
    const other = spec({ resources: { ...first.resources, maxProcesses: 65 } });
    await engine.start(other);
    expect(names()).toEqual(expect.arrayContaining([other.id, ...made(1)]));
    await expect.poll(() => names().sort()).toEqual([first.id, other.id, ...made(5)].sort());
    const sandbox = await engine.start(spec({ resources: other.resources }));
    // One of them became the sandbox. What fills the stock up again has other names.
    expect(made(5).filter((name) => names().includes(name))).toHaveLength(3);
    expect((await runProgram(sandbox, ['id', '-u'])).stdout).toBe('1000\n');
    await engine.close();
    expect(existsSync(createRuntimeDirectory(state).sandboxes)).toBe(true);
    expect(names()).toEqual([]);
  });

  it('are not used once they have ended', async () => {
    await engine.start(spec());
    await expect.poll(() => names()).toHaveLength(5);
    const { sandboxes } = createRuntimeDirectory(state);
    const stock = names().filter((name) => name.startsWith('stock-'));
    for (const name of stock) {
      const pid = readRecordedProcess(join(sandboxes, name))?.pid ?? 0;
      process.kill(pid, 'SIGKILL');
      // It is gone from here when this process has been told of its end.
      await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
    }
    await engine.start(spec());
    await expect.poll(() => names()).toEqual(expect.arrayContaining(['stock-5', 'stock-8']));
    expect(names()).not.toEqual(expect.arrayContaining([expect.stringMatching(/^stock-[1-4]$/)]));
  });
});
