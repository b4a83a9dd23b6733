import type { Duplex } from 'node:stream';
import {
  type Clock,
  type EgressPolicy,
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
  type Terminal,
  type TerminalRequest,
} from '@sandgate/core';
import { readWholeFile } from '../files/read-file.ts';
import { createSandboxFiles } from '../files/sandbox-files.ts';
import { writeWholeFile } from '../files/write-file.ts';
import { kernelCommand, kernelStart } from '../kernel/kernel-command.ts';
import type { KernelProcess } from '../kernel/kernel-process.ts';
import { createSandboxKernel } from '../kernel/sandbox-kernel.ts';
import { type StartTimer, startRealTimer } from '../kernel/start-timer.ts';
import { openTerminal } from '../terminal/open-terminal.ts';
import type { TerminalProgram } from '../terminal/terminal-program.ts';
import { readDiskBytes } from './disk-use.ts';
import { type AgentJob, type JobSpec, startAgentJob } from './exec/agent-job.ts';
import { runExec } from './exec/run-exec.ts';
import type { SaveListener } from './layer-archive.ts';
import type { ResourceGroup } from './limits/resource-limiter.ts';
import type { SandboxNetwork } from './network/sandbox-network.ts';
import { PausableTimers } from './pause/pausable-timers.ts';
import type { ProcessHold } from './pause/process-hold.ts';
import { SandboxPause } from './pause/sandbox-pause.ts';
import type { ProcessEnd, SandboxProcess } from './sandbox-process.ts';

/**
 * Each job takes up to five file descriptors of the server, and several processes of the sandbox, so
 * that many more would not fit its limit either.
 */
const maxJobs = 100;

export interface NamespaceSandboxParts {
  readonly spec: EngineSandboxSpec;
  readonly languages: readonly KernelLanguage[];
  readonly process: SandboxProcess;
  readonly kernelsCompiled: boolean;
  /** The host has the programs of which `files` is made. */
  readonly filePrograms: boolean;
  /** How terminals are made; null where they cannot be. */
  readonly terminal: TerminalProgram | null;
  readonly group: ResourceGroup;
  readonly hold: ProcessHold;
  readonly clock: Clock;
  readonly network: SandboxNetwork;
  /** Keeps the writable layer, with the agent still there and everything else gone. */
  readonly saveLayer: (sandbox: NamespaceSandbox, listener: SaveListener) => Promise<void>;
  /** Stores the writable layer under a new id, with the agent alone running. */
  readonly saveSnapshot: (
    sandbox: NamespaceSandbox,
    snapshotId: string,
    listener: SaveListener,
  ) => Promise<number>;
  /** Stores the volumes that are in its memory, as `saveLayer` does; null when there are none. */
  readonly saveVolumes:
    | ((sandbox: NamespaceSandbox, onLeftOut: SaveListener['onLeftOut']) => Promise<void>)
    | null;
  /** Removes what belongs to the sandbox on the host, after its last process. */
  readonly release: () => Promise<void>;
}

export class NamespaceSandbox implements EngineSandbox {
  readonly id: string;
  readonly exited: Promise<SandboxExitReason>;
  readonly files?: SandboxFiles;
  readonly openTerminal?: (request: TerminalRequest) => Promise<Terminal>;
  readonly #parts: NamespaceSandboxParts;
  readonly #kernels = new Map<KernelLanguage, Kernel>();
  readonly #timers = new PausableTimers();
  readonly #pause: SandboxPause;
  /** Of the latest reading: no program can be asked while the sandbox is paused. */
  #diskBytes = 0;
  #jobs = 0;
  #lastJob = 0;
  #lastTurn: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;
  /** Resolves when a stop begins, or when the sandbox ends by itself. */
  readonly #ending = Promise.withResolvers<void>();
  #lastCpu: { readonly atMs: number; readonly cpuMs: number };

  constructor(parts: NamespaceSandboxParts) {
    this.#parts = parts;
    if (parts.filePrograms) this.files = createSandboxFiles((request) => this.exec(request));
    const { terminal } = parts;
    if (terminal !== null) {
      this.openTerminal = (request) =>
        openTerminal((command, program) => this.exec(command, program), terminal, request);
    }
    this.id = parts.spec.id;
    this.#lastCpu = { atMs: parts.clock.nowMs(), cpuMs: parts.group.usage()?.cpuMs ?? 0 };
    this.#pause = new SandboxPause(parts.hold, this.#timers);
    this.exited = parts.process.ended.then((end) => this.#finish(end));
    void parts.process.ended.then(() => {
      this.#ending.resolve();
      this.#pause.end().catch(() => {});
    });
  }

  /** `program` is what has to be there, where that is not the first word of the command. */
  async exec(request: ExecRequest, program?: string): Promise<ExecOutcome> {
    await this.#pause.opened(request.signal);
    if (this.#stopping !== null) throw this.#endedError();
    return this.#run(request, this.#timers.start, program);
  }

  /** Also while the sandbox stops, or is held still for this. */
  execInternally(request: ExecRequest): Promise<ExecOutcome> {
    return this.#run(request, startRealTimer);
  }

  async #run(request: ExecRequest, startTimer: StartTimer, program?: string): Promise<ExecOutcome> {
    const { process, spec } = this.#parts;
    if (!process.running) throw this.#endedError();
    if (request.signal?.aborted === true) return { kind: 'aborted' };
    const job = await this.#startJob({
      argv: request.argv,
      ...(program === undefined ? {} : { program }),
      cwd: request.cwd ?? spec.workdir,
      environment: request.environment ?? {},
      stdin: request.stdin !== undefined,
      control: false,
      reportsStart: request.onStarted !== undefined,
      startTimer,
    });
    return runExec(job, request, () => this.#isEnding());
  }

  kernel(language: KernelLanguage): Kernel {
    if (!this.#parts.languages.includes(language)) {
      throw new SandgateError(
        'language_unsupported',
        `This sandbox has no ${language} kernel; it offers: ${this.#parts.languages.join(', ')}.`,
      );
    }
    let kernel = this.#kernels.get(language);
    if (kernel === undefined) {
      kernel = createSandboxKernel(language, (wanted) => this.#startKernel(wanted), {
        sandboxEnded: this.#ending.promise,
        startTimer: this.#timers.start,
      });
      this.#kernels.set(language, kernel);
    }
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
    this.#requireRunning();
    if (!this.#pause.paused) this.#diskBytes = await this.#readDiskBytes();
    const diskBytes = this.#diskBytes;
    const usage = this.#parts.group.usage();
    const network = this.#parts.network.traffic();
    if (usage === null) return { cpuPercent: 0, memoryBytes: 0, diskBytes, processes: 0, network };
    const atMs = this.#parts.clock.nowMs();
    const elapsedMs = Math.max(1, atMs - this.#lastCpu.atMs);
    const cpuPercent = Math.max(0, ((usage.cpuMs - this.#lastCpu.cpuMs) / elapsedMs) * 100);
    this.#lastCpu = { atMs, cpuMs: usage.cpuMs };
    const { memoryBytes, processes } = usage;
    return { cpuPercent, memoryBytes, diskBytes, processes, network };
  }

  async setEgress(policy: EgressPolicy): Promise<void> {
    this.#requireRunning();
    await this.#parts.network.setPolicy(policy);
  }

  async dial(port: number): Promise<Duplex> {
    this.#requireRunning();
    return await this.#parts.network.dial(port);
  }

  async pause(): Promise<void> {
    this.#requireRunning();
    if (this.#pause.paused) return;
    this.#diskBytes = await this.#readDiskBytes().catch(() => this.#diskBytes);
    await this.#pause.pause();
    this.#requireRunning();
  }

  async resume(): Promise<void> {
    this.#requireRunning();
    await this.#pause.resume();
  }

  snapshot(
    snapshotId: string,
    listener: SnapshotOptions = {},
  ): Promise<{ readonly sizeBytes: number }> {
    const { group, spec, saveSnapshot } = this.#parts;
    return this.#pause.heldStill(async () => {
      this.#requireRunning();
      group.setMemoryMib(spec.resources.memoryMib + savingMib);
      try {
        return { sizeBytes: await saveSnapshot(this, snapshotId, listener) };
      } catch (cause) {
        this.#requireRunning();
        throw cause;
      } finally {
        group.setMemoryMib(spec.resources.memoryMib);
      }
    });
  }

  stop({ keepLayer = true, onLayerBytes, onLeftOut }: StopOptions = {}): Promise<void> {
    const { saveLayer, saveVolumes } = this.#parts;
    if (!keepLayer && saveVolumes === null) return this.discard();
    this.#ending.resolve();
    this.#stopping ??= this.#stop(async () => {
      try {
        if (keepLayer) await saveLayer(this, { onBytes: onLayerBytes, onLeftOut });
      } finally {
        await saveVolumes?.(this, onLeftOut);
      }
    });
    return this.#stopping;
  }

  /** Ends the sandbox and forgets what was written in this run. */
  async discard(): Promise<void> {
    this.#ending.resolve();
    this.#stopping ??= Promise.resolve();
    await this.#kill();
  }

  async #stop(save: () => Promise<void>): Promise<void> {
    const { process } = this.#parts;
    try {
      await this.#pause.endInTurn();
      if (process.running) {
        process.send('kill_all\n');
        const { group, spec } = this.#parts;
        group.setMemoryMib(spec.resources.memoryMib + savingMib);
        await save();
      }
    } finally {
      await this.#kill();
    }
  }

  async #kill(): Promise<void> {
    // What a freezer holds cannot be killed.
    await this.#pause.end().catch(() => {});
    this.#parts.process.kill();
    await this.exited;
  }

  async #finish(_end: ProcessEnd): Promise<SandboxExitReason> {
    await this.#parts.release().catch(() => {});
    return this.#stopping === null ? 'ended' : 'stopped';
  }

  /**
   * One start a turn of the event loop: a client that asks for hundreds at once would otherwise hold
   * up everybody else's calls for as long as all of its starts take.
   */
  #nextTurn(): Promise<void> {
    const turn = this.#lastTurn;
    this.#lastTurn = turn.then(() => new Promise((resolve) => setImmediate(resolve)));
    return turn;
  }

  async #startJob(spec: Omit<JobSpec, 'startDeadlineMs'>): Promise<AgentJob> {
    const { process } = this.#parts;
    if (this.#jobs >= maxJobs) {
      throw new SandgateError('sandbox_busy', `The sandbox runs ${maxJobs} commands already.`);
    }
    this.#jobs += 1;
    try {
      await this.#nextTurn();
      const environment = {
        ...this.#parts.network.environment(),
        ...this.#parts.spec.environment,
        ...spec.environment,
      };
      this.#lastJob += 1;
      const job = await startAgentJob(process, this.#lastJob, {
        ...spec,
        environment,
        startDeadlineMs: this.#stopping === null ? startDeadlineMs : stoppingStartDeadlineMs,
      });
      job.ended.then(() => {
        this.#jobs -= 1;
      });
      return job;
    } catch (cause) {
      this.#jobs -= 1;
      throw cause;
    }
  }

  async #startKernel(language: KernelLanguage): Promise<KernelProcess> {
    await this.#pause.opened();
    if (this.#stopping !== null) throw this.#endedError();
    const job = await this.#startJob({
      argv: kernelCommand(language, { compiled: this.#parts.kernelsCompiled }),
      cwd: this.#parts.spec.workdir,
      environment: {},
      stdin: true,
      control: true,
      start: kernelStart[language],
      startTimer: this.#timers.start,
    });
    const stdin = await job.stdin.catch((cause: unknown) => {
      job.kill('SIGKILL', 'group');
      job.close();
      throw cause;
    });
    if (stdin === null || job.control === null) {
      job.close();
      const end = await job.ended;
      throw new SandgateError('kernel_failed', `The ${language} kernel could not be started.`, {
        detail: `its process is ${end.kind}`,
      });
    }
    const exited = job.ended.then((end) => (end.kind === 'exited' ? end.exitCode : 137));
    // The kernel reads what is left; then the host's ends must not pile up.
    exited.then(() => setTimeout(() => job.close(), closeGraceMs).unref());
    return {
      stdin,
      stdout: job.stdout.socket,
      stderr: job.stderr.socket,
      control: job.control.socket,
      kill: (signal) => job.kill(signal, signal === 'SIGINT' ? 'process' : 'group'),
      exited,
    };
  }

  #readDiskBytes(): Promise<number> {
    return readDiskBytes(this.#parts.process.pid, (request) => this.exec(request));
  }

  /** Of a job that was lost: the end of its sandbox may be known a moment later. */
  async #isEnding(): Promise<boolean> {
    const { process } = this.#parts;
    const wait = new Promise((resolve) => setTimeout(resolve, endGraceMs).unref());
    if (this.#stopping === null && process.running) await Promise.race([process.ended, wait]);
    return this.#stopping !== null || !process.running;
  }

  #requireRunning(): void {
    if (this.#stopping !== null || !this.#parts.process.running) throw this.#endedError();
  }

  #endedError(): SandgateError {
    return new SandgateError('sandbox_ended', 'The sandbox is not running any more.');
  }
}

/** How long the streams of an ended kernel stay open for what it had written. */
const closeGraceMs = 1_000;
const endGraceMs = 500;
/** What saving the files may take where they, and the kernel's records of them, fill the memory. */
const savingMib = 64;
/** A sandbox whose share of the CPU is small and taken can be slow to start another program. */
const startDeadlineMs = 30_000;
/** While it stops, nothing else runs in it. */
const stoppingStartDeadlineMs = 5_000;
