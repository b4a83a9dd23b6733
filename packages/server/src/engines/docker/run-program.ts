import type { ExecOutcome, ExecRequest } from '@sandgate/core';
import type { DockerProgram } from './docker-program.ts';
import { requireStarted } from './program-wrapper.ts';

/** How long a killed program may take to be reported gone. */
const killDeadlineMs = 10_000;
/** A longer delay would fire at once; this one is 24 days. */
const maxTimerMs = 2_147_483_647;

/**
 * Follows a program to its end. `needed` is what has to be there where that is not its first word. `sandboxEnded` resolves when the sandbox is gone.
 * @throws SandgateError `command_not_found`, `workdir_missing`, `engine_failed`; and what `onOutput`
 * or the source of the input throws
 */
export async function runProgram(
  program: DockerProgram,
  request: ExecRequest,
  needed: string | undefined,
  sandboxEnded: Promise<unknown>,
): Promise<ExecOutcome> {
  const overdue = Promise.withResolvers<null>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const timers: NodeJS.Timeout[] = [];
  let interruption: 'timed_out' | 'aborted' | null = null;
  const interrupt = (kind: 'timed_out' | 'aborted'): void => {
    if (interruption !== null) return;
    interruption = kind;
    program.signal('SIGKILL', 'group');
    timers.push(setTimeout(() => overdue.resolve(null), killDeadlineMs));
  };
  const onAbort = (): void => interrupt('aborted');
  request.signal?.addEventListener('abort', onAbort);
  if (request.signal?.aborted === true) onAbort();
  if (request.timeoutMs !== undefined) {
    const delayMs = Math.min(request.timeoutMs, maxTimerMs);
    timers.push(setTimeout(() => interrupt('timed_out'), delayMs));
  }
  program.delivered.catch(failed.reject);
  try {
    const gone = sandboxEnded.then(() => 'gone' as const);
    const report = await Promise.race([program.started, failed.promise, gone]);
    if (report === null && interruption === null) {
      // The end of a sandbox is told a moment after the streams of its programs have closed.
      const late = await Promise.race([gone, wait(endGraceMs), failed.promise]);
      if (late === 'gone') return { kind: 'sandbox_ended' };
    }
    if (report !== 'gone') {
      if (interruption === null || report !== null)
        requireStarted(report, needed ?? request.argv[0], request.cwd);
      request.onStarted?.({ signal: (signal) => program.signal(signal, 'group') });
    }
    if (request.stdin !== undefined) feed(program, request.stdin).catch(failed.reject);
    const end = await Promise.race([program.ended, overdue.promise, failed.promise, gone]);
    await Promise.race([program.drain(), failed.promise]);
    if (interruption !== null) return { kind: interruption };
    if (end === 'gone' || end === null) return { kind: 'sandbox_ended' };
    // A container that ends takes its programs along; its own end is told a moment later.
    if (end === killedExitCode && (await Promise.race([gone, wait(endGraceMs)])) === 'gone') {
      return { kind: 'sandbox_ended' };
    }
    return { kind: 'exited', exitCode: end };
  } catch (cause) {
    program.signal('SIGKILL', 'group');
    await Promise.race([program.ended, wait(killDeadlineMs), sandboxEnded]);
    throw cause;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
    program.close();
  }
}

const killedExitCode = 137;

const endGraceMs = 500;

const wait = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs).unref());

/** Writes a program's input and closes it. Stops without an error when the program stops reading. */
async function feed(
  program: DockerProgram,
  source: NonNullable<ExecRequest['stdin']>,
): Promise<void> {
  const { stdin } = program;
  const gone = Promise.race([
    program.ended,
    new Promise<void>((resolve) => stdin.once('close', resolve)),
  ]).then(() => true as const);
  const pieces = source instanceof Uint8Array ? [source] : source;
  const iterator =
    Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), gone]);
    if (next !== true && next.done === true) break;
    if (next !== true) {
      const written = new Promise<void>((resolve) => stdin.write(next.value, () => resolve()));
      if ((await Promise.race([written, gone])) !== true) continue;
    }
    // Not awaited: a source that hangs may never answer.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
    return;
  }
  stdin.end();
}
