import {
  type EngineSandbox,
  type EngineSandboxSpec,
  type ExecOutcome,
  type ExecRequest,
  type Kernel,
  type KernelLanguage,
  type SandboxExitReason,
  type SandboxFiles,
  type SandboxMetrics,
  SandgateError,
  type SnapshotOptions,
  type StopOptions,
} from '@sandgate/core';
import { readWholeFile } from '../files/read-file.ts';
import { createSandboxFiles } from '../files/sandbox-files.ts';
import { writeWholeFile } from '../files/write-file.ts';
import { createSandboxKernel } from '../kernel/sandbox-kernel.ts';
import { openTerminal } from '../terminal/open-terminal.ts';
import type { TerminalProgram } from '../terminal/terminal-program.ts';
import { dockerStatus, explainDocker } from './docker-failure.ts';
import { DockerProgram, type OnOutput, type ProgramHost } from './docker-program.ts';
import { layerBytes } from './layer-bytes.ts';
import { pauseContainer } from './pause-container.ts';
import type { WrappedProgram } from './program-wrapper.ts';
import { readContainerMetrics } from './read-container-metrics.ts';
import { runProgram } from './run-program.ts';
import { startKernel } from './start-kernel.ts';

/** As many programs of one sandbox may run at once: each holds a connection to the daemon. */
const maxPrograms = 100;

export interface DockerSandboxParts extends ProgramHost {
  readonly spec: EngineSandboxSpec;
  readonly languages: readonly KernelLanguage[];
  /** How terminals are made; null where they cannot be. */
  readonly terminal: TerminalProgram | null;
  /** Stores the container's writable layer as an image. */
  readonly commit: (snapshotId: string) => Promise<{ readonly sizeBytes: number }>;
}

export class DockerSandbox implements EngineSandbox {
  readonly id: string;
  readonly exited: Promise<SandboxExitReason>;
  readonly files: SandboxFiles;
  readonly openTerminal?: NonNullable<EngineSandbox['openTerminal']>;
  readonly #parts: DockerSandboxParts;
  readonly #kernels = new Map<KernelLanguage, Kernel>();
  readonly #ending = Promise.withResolvers<void>();
  #programs = 0;
  #stopping: Promise<void> | null = null;
  /** Resolves when the sandbox runs: what is called while it is paused waits for it. */
  #unpaused: PromiseWithResolvers<void> | null = null;
  #over = false;

  constructor(parts: DockerSandboxParts) {
    this.#parts = parts;
    this.id = parts.spec.id;
    this.files = createSandboxFiles((request) => this.exec(request));
    const { terminal } = parts;
    if (terminal !== null) {
      this.openTerminal = (request) =>
        openTerminal((command, program) => this.#exec(command, program), terminal, request);
    }
    this.exited = parts.events.end(parts.container.id).then(() => {
      this.#over = true;
      this.#ending.resolve();
      this.#unpaused?.resolve();
      return this.#stopping === null ? 'ended' : 'stopped';
    });
  }

  exec(request: ExecRequest): Promise<ExecOutcome> {
    return this.#exec(request);
  }

  /** `program` is what has to be there, where that is not the first word. */
  async #exec(request: ExecRequest, needed?: string): Promise<ExecOutcome> {
    await Promise.race([this.#requireRunning(), aborted(request.signal)]);
    if (request.signal?.aborted === true) return { kind: 'aborted' };
    const program = await this.#start(
      {
        argv: request.argv,
        cwd: request.cwd ?? this.#parts.spec.workdir,
        environment: request.environment ?? {},
        stdin: request.stdin !== undefined,
        ...(needed === undefined ? {} : { needed }),
      },
      request.onOutput,
    );
    return runProgram(program, request, needed, this.#ending.promise);
  }

  kernel(language: KernelLanguage): Kernel {
    const { languages } = this.#parts;
    if (!languages.includes(language)) {
      throw new SandgateError(
        'language_unsupported',
        `This sandbox has no ${language} kernel; it offers: ${languages.join(', ') || 'none'}.`,
      );
    }
    const known = this.#kernels.get(language);
    if (known !== undefined) return known;
    const kernel = createSandboxKernel(language, (wanted) => this.#startKernel(wanted), {
      sandboxEnded: this.#ending.promise,
    });
    this.#kernels.set(language, kernel);
    return kernel;
  }

  readFile(path: string, options: { readonly maxBytes?: number } = {}): Promise<Buffer> {
    return readWholeFile((request) => this.exec(request), path, options.maxBytes);
  }

  async writeFile(
    path: string,
    data: Uint8Array,
    { mode = 0o644 }: { readonly mode?: number } = {},
  ): Promise<void> {
    await writeWholeFile((request) => this.exec(request), path, data, mode);
  }

  async metrics(): Promise<SandboxMetrics> {
    this.#requireAlive();
    return await readContainerMetrics(this.#parts.container);
  }

  async pause(): Promise<void> {
    this.#requireAlive();
    if (this.#unpaused !== null) return;
    this.#unpaused = Promise.withResolvers<void>();
    try {
      await pauseContainer(this.#parts.container);
    } catch (error) {
      this.#resumed();
      throw explainDocker(error);
    }
  }

  async resume(): Promise<void> {
    this.#requireAlive();
    if (this.#unpaused === null) return;
    try {
      await this.#parts.container.unpause();
    } catch (error) {
      throw explainDocker(error);
    }
    this.#resumed();
  }

  async snapshot(
    snapshotId: string,
    { onBytes }: SnapshotOptions = {},
  ): Promise<{ readonly sizeBytes: number }> {
    this.#requireAlive();
    onBytes?.(await layerBytes(this.#parts.container));
    // The daemon holds the processes still while it copies.
    return await this.#parts.commit(snapshotId);
  }

  stop(options: StopOptions = {}): Promise<void> {
    // What failed is tried again by the next call.
    this.#stopping ??= this.#stop(options).catch((error: unknown) => {
      this.#stopping = null;
      throw error;
    });
    return this.#stopping;
  }

  async #stop({ keepLayer = true, onLayerBytes }: StopOptions): Promise<void> {
    this.#ending.resolve();
    const { container, agent } = this.#parts;
    try {
      // The daemon kills nothing that is paused.
      if (this.#unpaused !== null) await container.unpause();
      this.#resumed();
      await container.kill({ signal: 'SIGKILL' });
    } catch (error) {
      // Ended already, or gone.
      if (![404, 409].includes(dockerStatus(error) ?? 0)) throw explainDocker(error);
    }
    await this.exited;
    agent.close();
    if (keepLayer) onLayerBytes?.(await layerBytes(container));
    else await container.remove({ force: true, v: true }).catch(() => undefined);
  }

  #resumed(): void {
    this.#unpaused?.resolve();
    this.#unpaused = null;
  }

  async #requireRunning(): Promise<void> {
    this.#requireAlive();
    await this.#unpaused?.promise;
    this.#requireAlive();
  }

  #requireAlive(): void {
    if (this.#over || this.#stopping !== null) throw endedError();
  }

  #environment(added: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const fixed = { HOME: '/home/sandbox', USER: 'sandbox', LANG: 'C.UTF-8' };
    return { ...fixed, ...this.#parts.spec.environment, ...added };
  }

  async #start(
    wrapped: WrappedProgram & { readonly stdin: boolean },
    onOutput: OnOutput,
  ): Promise<DockerProgram> {
    if (this.#programs >= maxPrograms) {
      throw new SandgateError('sandbox_busy', `The sandbox runs ${maxPrograms} commands already.`);
    }
    this.#programs += 1;
    const environment = this.#environment(wrapped.environment);
    try {
      const started = { ...wrapped, environment };
      const program = await DockerProgram.start(this.#parts, started, onOutput);
      void Promise.race([program.ended, this.#ending.promise]).then(() => {
        this.#programs -= 1;
      });
      return program;
    } catch (error) {
      this.#programs -= 1;
      if (this.#over || this.#stopping !== null) throw endedError();
      throw error;
    }
  }

  async #startKernel(language: KernelLanguage) {
    await this.#requireRunning();
    const { workdir } = this.#parts.spec;
    return await startKernel(language, (wrapped, onOutput) =>
      this.#start({ ...wrapped, cwd: workdir, environment: {} }, onOutput),
    );
  }
}

/** Resolves when the signal is aborted, and never without one. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

const endedError = (): SandgateError =>
  new SandgateError('sandbox_ended', 'The sandbox is not running any more.');
