import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Kernel, KernelLanguage, KernelOutcome, KernelRunRequest } from '@sandgate/core';
import { type KernelCommandOptions, kernelCommand, kernelStart } from './kernel-command.ts';
import type { KernelProcess } from './kernel-process.ts';
import { createSandboxKernel } from './sandbox-kernel.ts';

export const guestDirectory = fileURLToPath(new URL('../../../guest', import.meta.url));
export const interpreters: Record<KernelLanguage, string> = {
  python: '/usr/bin/python3',
  node: process.execPath,
};
const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGKILL: 9,
  SIGTERM: 15,
  SIGABRT: 6,
};

export interface RunRecord {
  readonly outcome: KernelOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

export interface TestKernel {
  readonly kernel: Kernel;
  /** Every interpreter started so far. */
  readonly processes: ChildProcess[];
  run(code: string, options?: Partial<KernelRunRequest>): Promise<RunRecord>;
  endSandbox(): void;
  close(): Promise<void>;
}

/** A kernel over the real guest script in a plain child process, without a sandbox. */
export function startKernelInTest(
  language: KernelLanguage,
  command: KernelCommandOptions = {},
): TestKernel {
  const processes: ChildProcess[] = [];
  const sandboxEnded = Promise.withResolvers<void>();
  const start = async (): Promise<KernelProcess> => {
    const words = kernelCommand(language, {
      interpreter: interpreters[language],
      directory: guestDirectory,
      ...command,
    });
    const move = ['/bin/sh', '-c', 'exec "$@" 9<&0 0</dev/null 8>&1 7>&2', 'sh'];
    const [program = '', ...args] = [...(kernelStart[language].movesStreams ? move : []), ...words];
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
    processes.push(child);
    const control = child.stdio[3];
    if (!(control instanceof Readable)) throw new Error('The child has no control stream.');
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      control,
      kill: (signal) => signalChild(child, signal),
      exited: new Promise((resolve) => {
        child.once('exit', (code, signal) => {
          resolve(code ?? 128 + (signal === null ? 0 : (signalNumbers[signal] ?? 0)));
        });
      }),
    };
  };
  const kernel = createSandboxKernel(language, start, { sandboxEnded: sandboxEnded.promise });
  return {
    kernel,
    processes,
    endSandbox: () => sandboxEnded.resolve(),
    async run(code, options = {}) {
      const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
      const outcome = await kernel.run({
        code,
        onOutput: ({ stream, data }) => void chunks[stream].push(data),
        ...options,
      });
      const stdoutBytes = Buffer.concat(chunks.stdout);
      const stderr = Buffer.concat(chunks.stderr).toString();
      return { outcome, stdout: stdoutBytes.toString(), stderr, stdoutBytes };
    },
    async close() {
      for (const child of processes) {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        signalChild(child, 'SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await gone;
      }
    },
  };
}

function signalChild(child: ChildProcess, signal: 'SIGINT' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
  } catch {
    // The process, and its group, is gone.
  }
}
