import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Engine,
  EngineObserver,
  EngineReport,
  EngineSandbox,
  EngineSandboxSpec,
} from '@sandgate/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { archiveContract } from './contract/archive-contract.ts';
import { type ContractPart, runShell } from './contract/contract-suite.ts';
import { execContract } from './contract/exec-contract.ts';
import { fileTreeContract } from './contract/file-tree-contract.ts';
import { filesContract } from './contract/files-contract.ts';
import { isolationContract } from './contract/isolation-contract.ts';
import { lifeContract } from './contract/life-contract.ts';
import { limitsContract } from './contract/limits-contract.ts';
import { networkContract } from './contract/network-contract.ts';
import { type NetworkWorld, startNetworkWorld } from './contract/network-world.ts';
import { pauseContract } from './contract/pause-contract.ts';
import { processContract } from './contract/process-contract.ts';
import { richResultContract } from './contract/rich-result-contract.ts';
import { snapshotContract } from './contract/snapshot-contract.ts';
import { terminalContract } from './contract/terminal-contract.ts';
import { volumeContract } from './contract/volume-contract.ts';

/** A promise that an engine does not keep, and why. */
export interface EngineDeviation {
  /** Name of the test. */
  readonly test: string;
  readonly reason: string;
}

const wholeContract: Readonly<Record<string, ContractPart>> = {
  life: lifeContract,
  exec: execContract,
  processes: processContract,
  files: filesContract,
  'file tree': fileTreeContract,
  archives: archiveContract,
  terminals: terminalContract,
  limits: limitsContract,
  isolation: isolationContract,
  pause: pauseContract,
  snapshot: snapshotContract,
  'rich results': richResultContract,
  network: networkContract,
  volumes: volumeContract,
};

/**
 * What an engine is made with in a suite: an empty state directory, and what it is to know of the world
 * beyond its sandboxes.
 */
export type CreateEngine = (
  stateDirectory: string,
  world: Pick<NetworkWorld, 'rules' | 'nameServers'>,
) => Engine;

/** What every engine promises. */
export function describeEngine(
  name: string,
  createEngine: CreateEngine,
  deviations: readonly EngineDeviation[] = [],
  parts: Readonly<Record<string, ContractPart>> = wholeContract,
): void {
  describe(`${name} engine`, () => {
    const bench = new EngineBench(createEngine);
    beforeAll(() => bench.open());
    afterEach(async ({ task }) => {
      await bench.stopAll();
      if (task.result?.state === 'fail') await bench.dropShared();
    });
    afterAll(() => bench.close());
    const names = new Set<string>();
    for (const [title, part] of Object.entries(parts)) {
      describe(title, () => {
        afterAll(() => bench.dropShared());
        part(
          (test, run) => {
            names.add(test);
            if (!deviations.some((deviation) => deviation.test === test)) it(test, run);
          },
          {
            engine: () => bench.engine(),
            report: () => bench.report(),
            start: (overrides, observer) => bench.start(overrides, observer),
            shared: () => bench.shared(),
            world: () => bench.world(),
            newId: () => bench.newId(),
          },
        );
      });
    }
    it('deviates only where a promise and a reason are named', () => {
      for (const { test, reason } of deviations) {
        expect(names).toContain(test);
        expect(reason).not.toBe('');
      }
    });
  });
}

class EngineBench {
  readonly #createEngine: CreateEngine;
  readonly #started: EngineSandbox[] = [];
  readonly #ids = new Set<string>();
  #shared: EngineSandbox | null = null;
  #directory = '';
  #engine: Engine | null = null;
  #report: EngineReport | null = null;
  #world: NetworkWorld | null = null;

  constructor(createEngine: CreateEngine) {
    this.#createEngine = createEngine;
  }

  async open(): Promise<void> {
    this.#directory = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
    this.#world = await startNetworkWorld();
    this.#engine = this.#createEngine(this.#directory, this.#world);
    this.#report = await this.#engine.probe();
  }

  engine(): Engine {
    if (this.#engine === null) throw new Error('the engine is not open');
    return this.#engine;
  }

  report(): EngineReport {
    if (this.#report === null) throw new Error('the engine is not open');
    return this.#report;
  }

  world(): NetworkWorld {
    if (this.#world === null) throw new Error('the engine is not open');
    return this.#world;
  }

  newId(): string {
    const id = randomBytes(12).toString('hex');
    this.#ids.add(id);
    return id;
  }

  async start(
    overrides: Partial<EngineSandboxSpec> = {},
    observer: EngineObserver = {},
  ): Promise<EngineSandbox> {
    const spec: EngineSandboxSpec = {
      id: this.newId(),
      hostname: 'contract',
      image: 'microsandbox/node',
      resources: { memoryMib: 512, cpus: 1, diskMib: 64, maxProcesses: 100 },
      environment: {},
      workdir: '/workspace',
      mounts: [],
      scripts: {},
      ...overrides,
    };
    const sandbox = await this.engine().start(spec, observer);
    this.#started.push(sandbox);
    return sandbox;
  }

  async shared(): Promise<EngineSandbox> {
    if (this.#shared === null) {
      this.#shared = await this.start();
      this.#started.splice(this.#started.indexOf(this.#shared), 1);
      this.#ids.delete(this.#shared.id);
    }
    // A directory that nobody may write to is emptied only after its mode has been changed.
    const script =
      'chmod -R u+rwx /workspace /tmp 2>/dev/null; find /workspace /tmp -mindepth 1 -delete';
    expect(await runShell(this.#shared, script)).toMatchObject({ exitCode: 0, stderr: '' });
    return this.#shared;
  }

  async dropShared(): Promise<void> {
    const shared = this.#shared;
    this.#shared = null;
    if (shared === null) return;
    await shared.stop().catch(() => {});
    await this.engine().removeLayer(shared.id);
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((sandbox) => sandbox.stop().catch(() => {})));
    for (const id of this.#ids) await this.engine().removeLayer(id);
    this.#ids.clear();
  }

  async close(): Promise<void> {
    await this.#engine?.close();
    await this.#world?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
