import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runShell } from '../contract/contract-suite.ts';
import { createNamespaceEngine } from './namespace-engine.ts';

let state: string;
let engine: Engine;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-stop-'));
  engine = createNamespaceEngine({ stateDirectory: state });
});

afterEach(async () => {
  await engine.close();
  rmSync(state, { recursive: true, force: true });
});

describe('a stop', () => {
  it('is what runs of a kernel are told of, also those that wait', async () => {
    const sandbox = await engine.start({
      id: '5'.repeat(24),
      hostname: 'box',
      image: 'microsandbox/node',
      resources: { memoryMib: 512, cpus: 1, diskMib: 256, maxProcesses: 64 },
      environment: {},
      workdir: '/workspace',
      mounts: [],
      scripts: {},
    });
    // Saving takes longer than the ends of a kernel and of its sandbox may lie apart.
    await runShell(sandbox, 'head -c 80000000 /dev/urandom >large');
    const kernel = sandbox.kernel('node');
    const begun = Promise.withResolvers<void>();
    const onOutput = (): void => begun.resolve();
    const runs = [
      kernel.run({ code: 'console.log(1); for (;;);', onOutput }),
      kernel.run({ code: '1', onOutput }),
    ];
    await begun.promise;
    const stopped = sandbox.stop();
    expect(await Promise.all(runs)).toEqual([{ kind: 'sandbox_ended' }, { kind: 'sandbox_ended' }]);
    await stopped;
  });
});
