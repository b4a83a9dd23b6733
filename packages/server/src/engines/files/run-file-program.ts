import {
  type ExecOutcome,
  type ExecRequest,
  type RunningProcess,
  SandgateError,
} from '@sandgate/core';
import { explainFileError } from './explain-file-error.ts';

export type Exec = (request: ExecRequest) => Promise<ExecOutcome>;

export interface FileProgram {
  readonly argv: readonly string[];
  /** What it works on, for messages. */
  readonly path: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly onStarted?: (process: RunningProcess) => void;
  readonly onData?: (data: Buffer) => void | Promise<void>;
  /** The largest exit code with which it has done its work. Default: 0. */
  readonly maxExitCode?: number;
}

const maxErrorBytes = 4_096;

/**
 * Runs a program inside, with the rights of the sandbox's user: a link, or `..`, leads nowhere but to
 * the sandbox's own files.
 * @throws SandgateError as `SandboxFiles` does
 */
export async function runFileProgram(exec: Exec, program: FileProgram): Promise<void> {
  const { argv, path, stdin, signal, onStarted, onData, maxExitCode = 0 } = program;
  let errors = '';
  const outcome = await exec({
    argv,
    cwd: '/',
    environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TAR_OPTIONS: '' },
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal === undefined ? {} : { signal }),
    ...(onStarted === undefined ? {} : { onStarted }),
    onOutput: (chunk) => {
      if (chunk.stream === 'stdout') return onData?.(chunk.data);
      errors = (errors + chunk.data.toString('utf8')).slice(0, maxErrorBytes);
      return undefined;
    },
  });
  if (outcome.kind === 'exited') {
    if (outcome.exitCode <= maxExitCode) return;
    throw explainFileError(errors, outcome.exitCode, path);
  }
  if (outcome.kind === 'aborted') throw abandoned();
  throw new SandgateError('sandbox_ended', 'The sandbox ended while it worked on its files.');
}

export function abandoned(): SandgateError {
  return new SandgateError('request_abandoned', 'The work on the files was given up.');
}

/** A line of shell with words that it finds as `$1` and so on. */
export function shellProgram(script: string, ...words: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', script, 'sh', ...words];
}
