import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Duplex, type Writable } from 'node:stream';
import { SandgateError } from '@sandgate/core';
import type { FifoPool } from './exec/fifo-pool.ts';
import type { JobHost } from './exec/job-host.ts';
import type { HostIdentity } from './host-identity.ts';

/** More that waits to be read by the agent means that it does not read. */
const maxQueuedBytes = 16_777_216;
const maxStderrBytes = 4_096;
const readyDeadlineMs = 30_000;

export interface SandboxProcessSpec {
  readonly file: string;
  readonly args: readonly string[];
  /** File descriptors for the launcher, from number 4 on. The caller closes them. */
  readonly extraFds: readonly number[];
  /** Other descriptors that the server would hand on: the sandbox gets `/dev/null` in their place. */
  readonly strayFds: readonly number[];
  readonly identity: HostIdentity;
  readonly ioDirectory: string;
  readonly fifos: FifoPool;
  readonly prelude: string;
}

export interface ProcessEnd {
  /** What the launcher wrote to its stderr before the agent answered. */
  readonly stderr: string;
  readonly exitCode: number | null;
  /** Why the server ended it, when the sandbox broke the protocol. */
  readonly violation: string | null;
}

/**
 * A launcher's process tree and the line to its agent. It is spawned from the server's main thread
 * and dies with that: both by PDEATHSIG (prctl(2); of the thread, not of the process), and because
 * the agent's input ends.
 */
export class SandboxProcess implements JobHost {
  readonly ioDirectory: string;
  readonly identity: HostIdentity;
  readonly fifos: FifoPool;
  readonly ended: Promise<ProcessEnd>;
  /** @throws SandgateError `engine_failed` */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #agent: Writable;
  #stderr = '';
  #violation: string | null = null;
  #running = true;
  readonly #endActions = new Set<() => void>();

  constructor(spec: SandboxProcessSpec) {
    this.ioDirectory = spec.ioDirectory;
    this.identity = spec.identity;
    this.fifos = spec.fifos;
    const stdio: StdioOptions = ['pipe', 'ignore', 'pipe', 'pipe', ...spec.extraFds];
    // Node leaves what is ignored beyond 2 as it is, so the place is taken by another file.
    const nothing = spec.strayFds.length === 0 ? null : openSync('/dev/null', 'r');
    for (const fd of spec.strayFds.filter((stray) => stray >= stdio.length)) {
      while (stdio.length < fd) stdio.push('ignore');
      stdio.push(nothing);
    }
    const { uid, gid, dropped } = spec.identity;
    this.#child = spawn(spec.file, spec.args, {
      stdio,
      cwd: '/',
      // A session of its own: no terminal to reach, and Ctrl-C in it is for the server alone.
      detached: true,
      env: { PATH: '/usr/bin:/bin' },
      ...(dropped ? { uid, gid } : {}),
    });
    if (nothing !== null) closeSync(nothing);
    const { stdin: agent, stderr } = this.#child;
    const reports = this.#child.stdio[3];
    if (agent === null || stderr === null || !(reports instanceof Duplex)) {
      throw new Error('the launcher was started without its pipes');
    }
    this.#agent = agent;
    // EPIPE when the sandbox is gone, which `ended` tells.
    agent.on('error', () => {});
    agent.write(spec.prelude);
    stderr.on('error', () => {});
    stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(0, maxStderrBytes);
    });
    this.ended = new Promise((resolve) => {
      const finish = (exitCode: number | null): void => {
        this.#running = false;
        for (const action of this.#endActions) action();
        reports.destroy();
        agent.destroy();
        resolve({ stderr: this.#stderr.trim(), exitCode, violation: this.#violation });
      };
      this.#child.once('exit', finish);
      this.#child.once('error', (error) => {
        this.#stderr = error.message;
        if (this.#child.pid === undefined) finish(null);
      });
    });
    this.ready = this.#awaitReady(reports);
    this.ready.catch(() => {});
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
    this.#agent.write(call);
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

  async #awaitReady(reports: Duplex): Promise<void> {
    const said = new Promise<string>((resolve) => {
      let text = '';
      reports.on('error', () => resolve(text));
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
