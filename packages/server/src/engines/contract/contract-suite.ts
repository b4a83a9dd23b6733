import type {
  Engine,
  EngineObserver,
  EngineReport,
  EngineSandbox,
  EngineSandboxSpec,
  ExecRequest,
  SandboxFiles,
} from '@sandgate/core';
import { expect } from 'vitest';
import type { NetworkWorld } from './network-world.ts';

/** What a test of the contract works with. One engine serves a whole suite. */
export interface ContractContext {
  engine(): Engine;
  report(): EngineReport;
  /** Starts a sandbox that is stopped, and whose layer is removed, after the test. */
  start(overrides?: Partial<EngineSandboxSpec>, observer?: EngineObserver): Promise<EngineSandbox>;
  /**
   * A sandbox with nothing in `/workspace` and `/tmp`, which the tests of a part use one after the other,
   * since starting one takes far longer than what they do. For tests that end what they begin in it.
   */
  shared(): Promise<EngineSandbox>;
  /** What sandboxes with a network can reach. */
  world(): NetworkWorld;
  /** An id that no other test uses. */
  newId(): string;
}

/** Registers a test, unless the engine is known to deviate there. */
export type ContractTest = (name: string, run: () => Promise<void>) => void;

export type ContractPart = (test: ContractTest, context: ContractContext) => void;

export interface ExecResult {
  readonly kind: string;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Looks again and again until it is as expected: a busy machine takes its time. */
export const eventually = <T>(look: () => T | Promise<T>) =>
  expect.poll(look, { timeout: 15_000, interval: 20 });

/** Runs a program and collects what it writes. */
export async function runProgram(
  sandbox: EngineSandbox,
  argv: readonly string[],
  options: Omit<Partial<ExecRequest>, 'argv' | 'onOutput'> = {},
): Promise<ExecResult> {
  const pieces: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const outcome = await sandbox.exec({
    ...options,
    argv,
    onOutput: ({ stream, data }) => {
      pieces[stream].push(Buffer.from(data));
    },
  });
  return {
    kind: outcome.kind,
    exitCode: outcome.kind === 'exited' ? outcome.exitCode : null,
    stdout: Buffer.concat(pieces.stdout).toString('utf8'),
    stderr: Buffer.concat(pieces.stderr).toString('utf8'),
  };
}

/** Runs a line of shell. */
export function runShell(
  sandbox: EngineSandbox,
  script: string,
  options: Omit<Partial<ExecRequest>, 'argv' | 'onOutput'> = {},
): Promise<ExecResult> {
  return runProgram(sandbox, ['/bin/sh', '-c', script], options);
}

/** The sandbox's files, which every engine has that does not deviate. */
export function filesOf(sandbox: EngineSandbox): SandboxFiles {
  if (sandbox.files === undefined) throw new Error('the sandbox has no files');
  return sandbox.files;
}

/** Bytes that come piece by piece. */
export async function* inPieces(
  ...pieces: readonly (string | Uint8Array)[]
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}
