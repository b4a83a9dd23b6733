import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Duplex, type Writable } from 'node:stream';
import { SandgateError } from '@sandgate/core';
import { encodeBytes } from '../byte-text.ts';
import { quoteShell } from '../quote-shell.ts';
import { explainShortage, requireDescriptors } from './descriptor-shortage.ts';
import type { FifoPool } from './exec/fifo-pool.ts';
import type { JobHost } from './exec/job-host.ts';
import type { HostIdentity } from './host-identity.ts';

/** More that waits to be read by the agent means that it does not read. */
const maxQueuedBytes = 16_777_216;
const maxStderrBytes = 4_096;
const readyDeadlineMs = 30_000;

export interface SandboxProcessSpec {
  /** Opened `cgroup.procs` or `tasks` files of the groups to join, at most five. The caller closes them. */
  readonly joinFds: readonly number[];
  /** The system-call filter for the launcher. The caller closes it. */
  readonly seccompFd: number | null;
  /** Other descriptors that the server would hand on: the sandbox gets `/dev/null` in their place. */
  readonly strayFds: readonly number[];
  readonly identity: HostIdentity;
  readonly fifos: FifoPool;
}

export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly ioDirectory: string;
  /** What the agent is told first. */
  readonly prelude: string;
}

export interface ProcessEnd {
  /** What the launcher wrote to its stderr before the agent answered. */
  readonly stderr: string;
  readonly exitCode: number | null;
  /** Why the server ended it, when the sandbox broke the protocol. */
  readonly violation: string | null;
}

const agentFd = 4;
const firstJoinFd = 5;

/**
 * Two for each of four streams, two by which a child tells that it could not be executed, and one for
 * each that the child moves out of the way of another.
 */
const spawnDescriptors = 24;

/** Number, in the launcher's process, of the descriptor with the system-call filter. */
export const seccompFdOf = (spec: Pick<SandboxProcessSpec, 'joinFds'>): number =>
  firstJoinFd + spec.joinFds.length;

/**
 * A launcher's process tree and the line to its agent. It begins as a shell that joins the control
 * groups, so that nothing runs outside them, and waits until it is told which launcher to become:
 * this much can be done before anybody asks for a sandbox. The kernel checks who opened a
 * `cgroup.procs` file, not who writes to it.
 *
 * It is spawned from the server's main thread and dies with that: both by PDEATHSIG (prctl(2); of the
 * thread, not of the process), and because the shell's or the agent's input ends.
 */
export class SandboxProcess implements JobHost {
  readonly identity: HostIdentity;
  readonly fifos: FifoPool;
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #shell: Writable;
  readonly #agent: Duplex;
  readonly #reports: Duplex;
  readonly #ready = Promise.withResolvers<void>();
  readonly #joinFds: readonly number[];
  #ioDirectory = '';
  #stderr = '';
  #violation: string | null = null;
  #running = true;
  readonly #endActions = new Set<() => void>();

  /** @throws SandgateError `capacity_exceeded` when there is no descriptor or process for it. */
  static async spawn(spec: SandboxProcessSpec): Promise<SandboxProcess> {
    const child = spawnShell(spec);
    try {
      // Without this, the error of a spawn that fails for want of descriptors is nobody's.
      await once(child, 'spawn');
    } catch (cause) {
      destroyStreams(child);
      throw explainShortage(cause);
    }
    try {
      return new SandboxProcess(spec, child);
    } catch (cause) {
      child.once('error', () => {});
      child.kill('SIGKILL');
      destroyStreams(child);
      throw cause;
    }
  }

  private constructor(spec: SandboxProcessSpec, child: ChildProcess) {
    this.identity = spec.identity;
    this.fifos = spec.fifos;
    this.#child = child;
    this.#joinFds = spec.joinFds.map((_, index) => firstJoinFd + index);
    const { stdin: shell, stderr } = this.#child;
    const reports = this.#child.stdio[3];
    const agent = this.#child.stdio[agentFd];
    if (shell === null || stderr === null) throw new Error('the launcher has no pipes');
    if (!(reports instanceof Duplex && agent instanceof Duplex)) {
      throw new Error('the launcher has no line to its agent');
    }
    this.#shell = shell;
    this.#agent = agent;
    this.#reports = reports;
    // EPIPE when the sandbox is gone, which `ended` tells.
    for (const stream of [shell, agent, reports, stderr]) stream.on('error', () => {});
    shell.write(this.#joinFds.map((fd) => `echo 0 >&${fd} || exit 125\n`).join(''));
    stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(0, maxStderrBytes);
    });
    this.ended = new Promise((resolve) => {
      const finish = (exitCode: number | null): void => {
        this.#running = false;
        for (const action of this.#endActions) action();
        for (const stream of [shell, agent, reports]) stream.destroy();
        resolve({ stderr: this.#stderr.trim(), exitCode, violation: this.#violation });
      };
      this.#child.once('exit', finish);
      // Of a signal that could not be sent: `exit` tells of the end in any case.
      this.#child.on('error', () => {});
    });
    this.#ready.promise.catch(() => {});
  }

  /** To be called once. */
  launch({ file, args, ioDirectory, prelude }: Launch): void {
    this.#ioDirectory = ioDirectory;
    // Before the line that starts everything: what it wakes may take this process's turn on the CPU.
    this.#agent.write(prelude);
    const closed = this.#joinFds.map((fd) => ` ${fd}>&-`).join('');
    const words = [file, ...args].map(quoteShell).join(' ');
    this.#shell.end(`exec ${words} <&${agentFd} ${agentFd}<&-${closed}\n`);
    this.#awaitReady().then(this.#ready.resolve, this.#ready.reject);
  }

  /**
   * Resolves when the agent answers.
   * @throws SandgateError `engine_failed`
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get ioDirectory(): string {
    return this.#ioDirectory;
  }

  get running(): boolean {
    return this.#running;
  }

  onEnd(action: () => void): () => void {
    if (this.#running) this.#endActions.add(action);
    else action();
    return () => this.#endActions.delete(action);
  }

  /** The host's process id of the launcher. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(call: string): void {
    if (!this.#running) return;
    this.#agent.write(encodeBytes(call));
    if (this.#agent.writableLength > maxQueuedBytes) this.violation('the agent does not read');
  }

  violation(what: string): void {
    this.#violation ??= what;
    this.kill();
  }

  /** The kernel kills the rest when the first process of the PID namespace goes. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #awaitReady(): Promise<void> {
    const reports = this.#reports;
    const said = new Promise<string>((resolve) => {
      let text = '';
      // It can have ended before it was told anything.
      if (reports.destroyed) resolve(text);
      reports.on('close', () => resolve(text));
      reports.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.includes('\n') || text.length > 64) resolve(text);
      });
    });
    const deadline = setTimeout(
      () => this.violation('the agent did not start in time'),
      readyDeadlineMs,
    );
    const text = await said;
    clearTimeout(deadline);
    reports.destroy();
    if (text === 'ready\n') return;
    this.kill();
    const end = await this.ended;
    throw new SandgateError('engine_failed', 'The sandbox could not be started.', {
      detail: end.stderr || end.violation || `the launcher ended with ${end.exitCode}`,
    });
  }
}

function spawnShell(spec: SandboxProcessSpec): ChildProcess {
  // POSIX shells take but one digit.
  if (seccompFdOf(spec) > 10) throw new Error('too many control groups to join');
  requireDescriptors(spawnDescriptors);
  const stdio: StdioOptions = ['pipe', 'ignore', 'pipe', 'pipe', 'pipe', ...spec.joinFds];
  if (spec.seccompFd !== null) stdio.push(spec.seccompFd);
  // Node leaves what is ignored beyond 2 as it is, so the place is taken by another file.
  const nothing = spec.strayFds.length === 0 ? null : openSync('/dev/null', 'r');
  for (const fd of spec.strayFds.filter((stray) => stray >= stdio.length)) {
    while (stdio.length < fd) stdio.push('ignore');
    stdio.push(nothing);
  }
  const { uid, gid, dropped } = spec.identity;
  try {
    return spawn('/bin/sh', ['-s'], {
      stdio,
      cwd: '/',
      // A session of its own: no terminal to reach, and Ctrl-C in it is for the server alone.
      detached: true,
      env: { PATH: '/usr/bin:/bin' },
      ...(dropped ? { uid, gid } : {}),
    });
  } finally {
    if (nothing !== null) closeSync(nothing);
  }
}

/** Node leaves out the streams of a child for which it found no descriptors, against its types. */
function destroyStreams(child: Partial<Pick<ChildProcess, 'stdio'>>): void {
  for (const stream of child.stdio ?? []) stream?.destroy();
}
