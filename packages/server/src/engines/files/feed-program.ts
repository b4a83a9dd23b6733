import type { RunningProcess } from '@sandgate/core';
import { abandoned, type Exec, type FileProgram, runFileProgram } from './run-file-program.ts';

/** How long a program may take to clean up what it has begun. */
const cleanUpDeadlineMs = 5_000;

export interface FedProgram extends Omit<FileProgram, 'stdin' | 'onStarted'> {
  readonly source: AsyncIterable<Uint8Array>;
}

/**
 * Runs a program that takes the whole source for good, or gets SIGTERM and removes what it has begun:
 * the end of its input would say that all is there. Resolves with the bytes that it was given.
 * @throws SandgateError as `SandboxFiles` does, and what the source throws
 */
export async function feedProgram(exec: Exec, program: FedProgram): Promise<number> {
  const { source, signal, ...rest } = program;
  if (signal?.aborted === true) throw abandoned();
  let bytes = 0;
  let failure: { readonly cause: unknown } | null = null;
  let process: RunningProcess | null = null;
  let deadline: NodeJS.Timeout | undefined;
  const overdue = new AbortController();
  const giveUp = (cause: unknown): void => {
    failure ??= { cause };
    deadline ??= setTimeout(() => overdue.abort(), cleanUpDeadlineMs);
    process?.signal('SIGTERM');
  };
  async function* input(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of source) {
        bytes += piece.length;
        yield piece;
      }
    } catch (cause) {
      giveUp(cause);
    }
    // The program ends before its input does.
    if (failure !== null) await new Promise(() => {});
  }
  const onAbort = (): void => giveUp(abandoned());
  signal?.addEventListener('abort', onAbort);
  try {
    await runFileProgram(exec, {
      ...rest,
      stdin: input(),
      signal: overdue.signal,
      onStarted: (started) => {
        process = started;
        if (failure !== null) started.signal('SIGTERM');
      },
    });
    return bytes;
  } catch (cause) {
    throw (failure as { readonly cause: unknown } | null)?.cause ?? cause;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', onAbort);
  }
}
