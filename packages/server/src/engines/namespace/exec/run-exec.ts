import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';
import type { AgentJob, JobEnd } from './agent-job.ts';
import { OutputDelivery } from './deliver-output.ts';
import { feedStdin } from './feed-stdin.ts';

/** How long a killed program may take to be reported gone. It cannot refuse, but it can be slow. */
const killDeadlineMs = 5_000;

/** A longer delay would fire at once; this one is 24 days. */
const maxTimerMs = 2_147_483_647;

/**
 * Follows a job to its end.
 * @throws SandgateError `command_not_found`, `workdir_missing`, `engine_failed`; and what `onOutput`
 * or the source of the input throws.
 */
export async function runExec(
  job: AgentJob,
  request: ExecRequest,
  sandboxEnded: () => Promise<boolean>,
): Promise<ExecOutcome> {
  const interruption = new Interruption(job, request);
  try {
    // Nothing is read before, so that no output is told of first.
    if (request.onStarted !== undefined && (await job.started)) {
      request.onStarted({ signal: (signal) => job.kill(signal, 'group') });
    }
    const outputs = [
      new OutputDelivery(job.stdout, 'stdout', request.onOutput),
      new OutputDelivery(job.stderr, 'stderr', request.onOutput),
    ];
    const failed = Promise.withResolvers<never>();
    for (const output of outputs) output.finished.catch(failed.reject);
    if (request.stdin !== undefined) feedStdin(job.stdin, request.stdin).catch(failed.reject);
    const end = await Promise.race([job.ended, interruption.overdue, failed.promise]);
    await Promise.all(outputs.map((output) => output.finish()));
    if (interruption.kind !== null) return { kind: interruption.kind };
    const lost = end === null || end.kind === 'lost';
    if (lost && (await sandboxEnded())) return { kind: 'sandbox_ended' };
    return toOutcome(end, request, job.program);
  } catch (cause) {
    job.kill('SIGKILL', 'group');
    throw cause;
  } finally {
    interruption.clear();
    job.close();
  }
}

function toOutcome(end: JobEnd | null, request: ExecRequest, program: string): ExecOutcome {
  switch (end?.kind) {
    case 'exited':
      return { kind: 'exited', exitCode: end.exitCode };
    case 'missing_program':
      throw new SandgateError(
        'command_not_found',
        `There is no program ${JSON.stringify(program)} in this sandbox.`,
      );
    case 'missing_directory':
      throw new SandgateError(
        'workdir_missing',
        `There is no directory ${JSON.stringify(request.cwd)} in this sandbox.`,
      );
    default:
      throw new SandgateError(
        'engine_failed',
        'The sandbox could not start the program or lost track of it; it may be out of memory or processes.',
      );
  }
}

/** A timeout or an abort: kills the job's group, once. */
class Interruption {
  kind: 'timed_out' | 'aborted' | null = null;
  /** Resolves with null when a killed job is not reported gone in time. */
  readonly overdue: Promise<null>;
  readonly #timers: (() => void)[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;

  constructor(job: AgentJob, request: ExecRequest) {
    const overdue = Promise.withResolvers<null>();
    this.overdue = overdue.promise;
    const interrupt = (kind: 'timed_out' | 'aborted'): void => {
      if (this.kind !== null) return;
      this.kind = kind;
      job.kill('SIGKILL', 'group');
      this.#timers.push(job.startTimer(() => overdue.resolve(null), killDeadlineMs));
    };
    if (request.timeoutMs !== undefined) {
      const delayMs = Math.min(request.timeoutMs, maxTimerMs);
      this.#timers.push(job.startTimer(() => interrupt('timed_out'), delayMs));
    }
    this.#onAbort = () => interrupt('aborted');
    this.#signal = request.signal;
    this.#signal?.addEventListener('abort', this.#onAbort);
    if (this.#signal?.aborted === true) interrupt('aborted');
  }

  clear(): void {
    for (const cancel of this.#timers) cancel();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
