import { type Duplex, PassThrough } from 'node:stream';
import {
  type EgressPolicy,
  type Engine,
  type EngineCapabilities,
  type EngineObserver,
  type EngineReport,
  type EngineSandbox,
  type EngineSandboxSpec,
  type EngineSnapshots,
  type EngineVolumes,
  type ExecOutcome,
  type ExecRequest,
  type ImagePuller,
  type KernelOutcome,
  type KernelRunRequest,
  type SandboxExitReason,
  type SandboxFiles,
  type SandboxMetrics,
  SandgateError,
  type TemplateInfo,
} from '@sandgate/core';
import { createMemoryFiles } from './memory-files.ts';

/** A scripted sandbox that runs. */
export interface ScriptedSandbox {
  readonly spec: EngineSandboxSpec;
  readonly observer: EngineObserver;
  readonly end: (reason: SandboxExitReason) => void;
  isPaused: boolean;
  egress: EgressPolicy;
}

/** What a test may take away from the engine. */
export type ScriptedFacet =
  | 'files'
  | 'openTerminal'
  | 'pause'
  | 'snapshots'
  | 'volumes'
  | 'setEgress'
  | 'dial';

/**
 * An engine for tests of what lies above one: it runs nothing, records what it is asked for, and
 * answers what the test scripts. What a sandbox really does is tested with real engines.
 */
export class ScriptedEngine implements Engine {
  readonly started: EngineSandboxSpec[] = [];
  readonly live = new Map<string, ScriptedSandbox>();
  readonly executed: { id: string; argv: readonly string[] }[] = [];
  failStart: SandgateError | null = null;
  /** Called in each start, which waits for it. */
  beforeStart: (spec: EngineSandboxSpec) => Promise<void> = async () => undefined;
  failPause: SandgateError | null = null;
  /** Of a stop, which ends the sandbox all the same. */
  failStop: SandgateError | null = null;
  /** What cannot be stopped goes on. */
  outlivesFailedStop = false;
  onExec: (request: ExecRequest) => Promise<ExecOutcome> = async (request) => {
    request.onStarted?.({ signal: () => undefined });
    return { kind: 'exited', exitCode: 0 };
  };
  /** What listens on every port but 1. What is sent comes back. */
  onDial: (port: number) => Duplex = () => new PassThrough();
  onStart: (id: string) => void = () => undefined;
  onMetrics: (id: string) => Promise<SandboxMetrics> = async () => ({
    cpuPercent: 1.5,
    memoryBytes: 3 * 1_048_576,
    diskBytes: 42,
    processes: 1,
  });
  /** What a stop or a snapshot stores of each sandbox's files. */
  layerBytes = 0;
  readonly layers = new Map<string, number>();
  readonly storedSnapshots = new Map<string, number>();
  /** Called in each snapshot, which waits for it. */
  beforeSnapshot: (id: string) => Promise<void> = async () => undefined;
  readonly storedVolumes = new Map<string, number>();
  failVolume: SandgateError | null = null;
  readonly runs: KernelRunRequest[] = [];
  onRun: (request: KernelRunRequest) => Promise<KernelOutcome> = async () => ({
    kind: 'completed',
  });
  templates: readonly TemplateInfo[] = [
    { name: 'microsandbox/python', languages: ['python'], description: 'Python 3.11.2' },
    { name: 'microsandbox/node', languages: ['node'], description: 'Node 24.0.0' },
  ];
  snapshots?: EngineSnapshots = {
    remove: async (id) => void this.storedSnapshots.delete(id),
    sizes: async () => new Map(this.storedSnapshots),
  };
  volumes?: EngineVolumes = {
    create: async (id, { sizeMib }) => {
      if (this.failVolume !== null) throw this.failVolume;
      this.storedVolumes.set(id, sizeMib);
    },
    remove: async (id) => void this.storedVolumes.delete(id),
    list: async () =>
      new Map([...this.storedVolumes].map(([id, sizeMib]) => [id, { sizeMib, usedBytes: null }])),
  };
  /** None pulls, unless a test has it. */
  images?: ImagePuller;
  readonly #without = new Set<ScriptedFacet>();

  /** As an engine that cannot do these things. */
  takeAway(...facets: readonly ScriptedFacet[]): void {
    for (const facet of facets) this.#without.add(facet);
    if (facets.includes('snapshots')) delete this.snapshots;
    if (facets.includes('volumes')) delete this.volumes;
  }

  async probe(): Promise<EngineReport> {
    const has = (facet: ScriptedFacet): boolean => !this.#without.has(facet);
    const capabilities: EngineCapabilities = {
      seccomp: false,
      memoryLimit: 'none',
      cpuLimit: 'none',
      processLimit: 'none',
      persistentLayer: false,
      terminals: has('openTerminal'),
      pause: has('pause') ? 'signals' : 'none',
      snapshots: has('snapshots'),
      volumes: has('volumes') ? 'disk' : 'none',
      egress: has('setEgress'),
      dial: has('dial'),
    };
    const { templates } = this;
    return { engine: 'scripted', usable: true, capabilities, templates, findings: [] };
  }

  async start(spec: EngineSandboxSpec, observer: EngineObserver = {}): Promise<EngineSandbox> {
    await this.beforeStart(spec);
    if (this.failStart !== null) throw this.failStart;
    this.started.push(spec);
    this.onStart(spec.id);
    let end: (reason: SandboxExitReason) => void = () => undefined;
    const exited = new Promise<SandboxExitReason>((resolve) => {
      end = (reason) => {
        this.live.delete(spec.id);
        resolve(reason);
      };
    });
    const egress = spec.egress ?? { mode: 'deny_all' };
    const sandbox: ScriptedSandbox = { spec, observer, end, isPaused: false, egress };
    this.live.set(spec.id, sandbox);
    return {
      id: spec.id,
      exited,
      exec: (request) => {
        this.executed.push({ id: spec.id, argv: request.argv });
        return this.onExec(request);
      },
      kernel: (language) => ({
        language,
        run: (request) => {
          this.runs.push(request);
          return this.onRun(request);
        },
      }),
      readFile: async () => Buffer.alloc(0),
      writeFile: async () => undefined,
      metrics: () => this.onMetrics(spec.id),
      stop: async ({ keepLayer = true, onLayerBytes } = {}) => {
        try {
          if (this.failStop !== null) throw this.failStop;
          if (!keepLayer || this.layerBytes === 0) return;
          onLayerBytes?.(this.layerBytes);
          this.layers.set(spec.id, this.layerBytes);
        } finally {
          if (this.failStop === null || !this.outlivesFailedStop) end('stopped');
        }
      },
      ...this.#facets(sandbox),
    };
  }

  async removeLayer(id: string): Promise<void> {
    this.layers.delete(id);
  }

  async layerSizes(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.layers);
  }

  async reconcile(): Promise<void> {}
  async close(): Promise<void> {}

  #facets(sandbox: ScriptedSandbox): Partial<EngineSandbox> {
    const all: Readonly<Record<ScriptedFacet, Partial<EngineSandbox>>> = {
      files: { files: createMemoryFiles() satisfies SandboxFiles },
      openTerminal: {
        openTerminal: async ({ onOutput }) => {
          let exit: (outcome: ExecOutcome) => void = () => undefined;
          const exited = new Promise<ExecOutcome>((resolve) => {
            exit = resolve;
          });
          return {
            exited,
            // It shows what is typed.
            write: async (data) => void (await onOutput(Buffer.from(data))),
            resize: async () => undefined,
            signal: () => exit({ kind: 'exited', exitCode: 129 }),
          };
        },
      },
      pause: {
        pause: async () => {
          if (this.failPause !== null) throw this.failPause;
          sandbox.isPaused = true;
        },
        resume: async () => {
          sandbox.isPaused = false;
        },
      },
      snapshots: {
        snapshot: async (id, { onBytes } = {}) => {
          await this.beforeSnapshot(id);
          onBytes?.(this.layerBytes);
          this.storedSnapshots.set(id, this.layerBytes);
          return { sizeBytes: this.layerBytes };
        },
      },
      volumes: {},
      setEgress: {
        setEgress: async (policy) => {
          sandbox.egress = policy;
        },
      },
      dial: {
        dial: async (port) => {
          if (port === 1) throw new SandgateError('port_closed', 'Nothing listens on port 1');
          return this.onDial(port);
        },
      },
    };
    const present = (Object.keys(all) as ScriptedFacet[]).filter(
      (facet) => !this.#without.has(facet),
    );
    return Object.assign({}, ...present.map((facet) => all[facet]));
  }
}
