import type {
  Engine,
  EngineReport,
  EngineSandbox,
  EngineSandboxSpec,
  ExecOutcome,
  ExecRequest,
  KernelOutcome,
  KernelRunRequest,
  SandboxExitReason,
  SandboxMetrics,
  SandgateError,
} from '@sandgate/core';

/**
 * An engine for tests of what lies above one: it runs nothing, records what it is asked for, and
 * answers what the test scripts. What a sandbox really does is tested with real engines.
 */
export class ScriptedEngine implements Engine {
  readonly started: EngineSandboxSpec[] = [];
  readonly live = new Map<string, { end: (reason: SandboxExitReason) => void }>();
  readonly executed: { id: string; argv: readonly string[] }[] = [];
  failStart: SandgateError | null = null;
  onExec: (request: ExecRequest) => Promise<ExecOutcome> = async () => ({
    kind: 'exited',
    exitCode: 0,
  });
  onStart: (id: string) => void = () => undefined;
  onMetrics: (id: string) => Promise<SandboxMetrics> = async () => ({
    cpuPercent: 1.5,
    memoryBytes: 3 * 1_048_576,
    diskBytes: 42,
    processes: 1,
  });
  /** What a stop stores of each sandbox's files. */
  layerBytes = 0;
  readonly layers = new Map<string, number>();
  onRun: (request: KernelRunRequest) => Promise<KernelOutcome> = async () => ({
    kind: 'completed',
  });

  async probe(): Promise<EngineReport> {
    return {
      engine: 'scripted',
      usable: true,
      capabilities: {
        seccomp: false,
        memoryLimit: 'none',
        cpuLimit: 'none',
        processLimit: 'none',
        persistentLayer: false,
      },
      templates: [],
      findings: [],
    };
  }

  async start(spec: EngineSandboxSpec): Promise<EngineSandbox> {
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
    this.live.set(spec.id, { end });
    return {
      id: spec.id,
      exited,
      exec: (request) => {
        this.executed.push({ id: spec.id, argv: request.argv });
        return this.onExec(request);
      },
      kernel: (language) => ({ language, run: (request) => this.onRun(request) }),
      readFile: async () => Buffer.alloc(0),
      writeFile: async () => undefined,
      metrics: () => this.onMetrics(spec.id),
      stop: async ({ keepLayer = true, onLayerBytes } = {}) => {
        try {
          if (!keepLayer || this.layerBytes === 0) return;
          onLayerBytes?.(this.layerBytes);
          this.layers.set(spec.id, this.layerBytes);
        } finally {
          end('stopped');
        }
      },
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
}
