import { randomBytes } from 'node:crypto';
import {
  type Kernel,
  type KernelLanguage,
  type KernelOutcome,
  type KernelRunRequest,
  SandgateError,
} from '@sandgate/core';
import type { StartKernelProcess } from './kernel-process.ts';
import { KernelSession, type SessionResult } from './kernel-session.ts';
import { type StartTimer, startRealTimer } from './start-timer.ts';

/** How long interrupted code may take to end before its interpreter is killed. */
const interruptGraceMs = 1_000;
/** How long output may arrive after an interpreter has ended. */
const drainMs = 250;
/** How long a killed interpreter may take to be gone before its run is given up. */
const killGraceMs = 1_000;

export interface SandboxKernelOptions {
  /** Resolves when the sandbox is gone; every run then ends as `sandbox_ended`. */
  readonly sandboxEnded: Promise<void>;
  /** Default: the real clock. */
  readonly startTimer?: StartTimer;
  /** Text that user code cannot guess; one for each run. Letters and digits. */
  readonly nextToken?: () => string;
}

type Interruption = 'timed_out' | 'aborted';

/**
 * The kernel of one language in one sandbox. The interpreter starts at the first run, and again at
 * the first run after it ended.
 *
 * What belongs to a run: everything that arrives on the interpreter's stdout and stderr between the
 * two markers that the guest writes around it. A run ends when its code does, and its top-level
 * awaits with it; it does not wait for threads, timers and background processes. What those print
 * later is dropped: between runs by the markers, and in the middle of a later run by the guest,
 * which knows for which run a Python thread or task and a Node callback works. Output that bypasses
 * the language's own streams, as of a background process, counts to the run in which it arrives.
 *
 * A run ends at the latest `interruptGraceMs + killGraceMs` after its `timeoutMs`, whatever the
 * guest does. A run that was interrupted is `timed_out` or `aborted` even when its code ended
 * regularly afterwards.
 *
 * `run` throws SandgateError `kernel_failed` when the guest breaks the protocol, what `startProcess`
 * throws, and what `onOutput` and `onResult` throw.
 */
export function createSandboxKernel(
  language: KernelLanguage,
  startProcess: StartKernelProcess,
  options: SandboxKernelOptions,
): Kernel {
  return new SandboxKernel(language, startProcess, options);
}

class SandboxKernel implements Kernel {
  readonly language: KernelLanguage;
  readonly #startProcess: StartKernelProcess;
  readonly #startTimer: StartTimer;
  readonly #nextToken: () => string;
  /** Told once when the sandbox ends; the running run alone is in it. */
  readonly #onSandboxEnd = new Set<() => void>();
  #ended = false;
  #session: KernelSession | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(
    language: KernelLanguage,
    startProcess: StartKernelProcess,
    options: SandboxKernelOptions,
  ) {
    this.language = language;
    this.#startProcess = startProcess;
    this.#startTimer = options.startTimer ?? startRealTimer;
    this.#nextToken = options.nextToken ?? (() => randomBytes(16).toString('hex'));
    void options.sandboxEnded.then(() => {
      this.#ended = true;
      for (const action of this.#onSandboxEnd) action();
    });
  }

  run(request: KernelRunRequest): Promise<KernelOutcome> {
    const { signal } = request;
    const abortedInQueue = Promise.withResolvers<KernelOutcome>();
    let started = false;
    const onAbort = (): void => {
      if (!started) abortedInQueue.resolve({ kind: 'aborted', stateLost: false });
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const turn = this.#tail.then((): Promise<KernelOutcome> | KernelOutcome => {
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted) return { kind: 'aborted', stateLost: false };
      started = true;
      return this.#execute(request);
    });
    this.#tail = turn.catch(() => undefined);
    return Promise.race([turn, abortedInQueue.promise]);
  }

  async #execute(request: KernelRunRequest): Promise<KernelOutcome> {
    if (this.#ended) return { kind: 'sandbox_ended' };
    const givenUp = Promise.withResolvers<'given_up'>();
    const timers: (() => void)[] = [];
    const later = (delayMs: number, action: () => void): void => {
      timers.push(this.#startTimer(action, delayMs));
    };
    let interruption: Interruption | undefined;
    const interrupt = (reason: Interruption): void => {
      if (interruption !== undefined) return;
      interruption = reason;
      this.#session?.interrupt();
      later(interruptGraceMs, () => {
        this.#session?.kill();
        later(this.#session === undefined ? 0 : killGraceMs, () => givenUp.resolve('given_up'));
      });
    };
    const onAbort = (): void => interrupt('aborted');
    request.signal?.addEventListener('abort', onAbort, { once: true });
    if (request.timeoutMs !== undefined) later(request.timeoutMs, () => interrupt('timed_out'));
    // Output that the sandbox wrote before it ended may still be on its way.
    const onSandboxEnd = (): void => later(drainMs, () => givenUp.resolve('given_up'));
    this.#onSandboxEnd.add(onSandboxEnd);
    try {
      const attempt = this.#attempt(request, () => interruption);
      attempt.catch(() => undefined);
      const result = await Promise.race([attempt, givenUp.promise]);
      return await this.#outcomeOf(result, interruption);
    } finally {
      request.signal?.removeEventListener('abort', onAbort);
      this.#onSandboxEnd.delete(onSandboxEnd);
      for (const cancel of timers) cancel();
    }
  }

  /** Runs the code in the live interpreter, or in a new one when that is gone already. */
  async #attempt(
    request: KernelRunRequest,
    interruption: () => Interruption | undefined,
  ): Promise<SessionResult> {
    const existing = this.#session?.usable ? this.#session : undefined;
    if (existing !== undefined) {
      const result = await this.#send(existing, request);
      if (result.kind !== 'exited' || result.begun || this.#ended || interruption()) return result;
    }
    this.#session = undefined;
    const process = await this.#startProcess(this.language);
    const session = new KernelSession(process, this.#startTimer, drainMs);
    if (interruption() !== undefined || this.#ended) {
      session.kill();
      return { kind: 'exited', exitCode: 137, begun: false };
    }
    this.#session = session;
    return await this.#send(session, request);
  }

  #send(session: KernelSession, request: KernelRunRequest): Promise<SessionResult> {
    return session.run(request, this.#nextToken());
  }

  async #outcomeOf(
    result: SessionResult | 'given_up',
    interruption: Interruption | undefined,
  ): Promise<KernelOutcome> {
    if (result === 'given_up') {
      this.#session?.abandon();
      this.#session?.kill();
      this.#session = undefined;
      return this.#ended || interruption === undefined
        ? { kind: 'sandbox_ended' }
        : { kind: interruption, stateLost: true };
    }
    if (result.kind === 'replied') {
      if (interruption !== undefined) return { kind: interruption, stateLost: false };
      const { reply } = result;
      if (reply.status === 'completed') return { kind: 'completed' };
      const { status: _, ...failure } = reply;
      return { kind: 'raised', ...failure };
    }
    this.#session = undefined;
    if (result.kind === 'exited') {
      // The process and its sandbox may end together; the sandbox's end is told a turn later.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#ended) return { kind: 'sandbox_ended' };
      if (interruption !== undefined) return { kind: interruption, stateLost: true };
      return { kind: 'exited', exitCode: result.exitCode };
    }
    if (result.cause !== undefined) throw result.cause;
    if (interruption !== undefined) return { kind: interruption, stateLost: true };
    throw new SandgateError(
      'kernel_failed',
      'The kernel stopped working and was ended; its variables are lost. Run the code again.',
      { detail: result.reason },
    );
  }
}
