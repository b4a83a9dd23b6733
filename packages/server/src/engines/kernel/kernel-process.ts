import type { Readable, Writable } from 'node:stream';
import type { KernelLanguage } from '@sandgate/core';

/**
 * An interpreter that runs a guest kernel script, started by an engine inside a sandbox. To the
 * engine the four streams are plain bytes; only the kernel's two ends know what they mean.
 */
export interface KernelProcess {
  /** fd 0 of the process: requests. */
  readonly stdin: Writable;
  /** fd 1: what user code prints. */
  readonly stdout: Readable;
  /** fd 2. */
  readonly stderr: Readable;
  /** fd 3 of the process, which it writes: replies, one JSON object per line. */
  readonly control: Readable;
  /** SIGINT goes to the interpreter alone, SIGKILL to its whole process group. Never throws. */
  kill(signal: 'SIGINT' | 'SIGKILL'): void;
  /**
   * Exit code, or 128 + n when signal n ended the process. Resolves also when the sandbox ends, and
   * never rejects. Output that the process wrote may still be on its way in the streams.
   */
  readonly exited: Promise<number>;
}

/**
 * Starts an interpreter with `kernelCommand` in the sandbox's workdir and environment, in a process
 * group of its own.
 */
export type StartKernelProcess = (language: KernelLanguage) => Promise<KernelProcess>;
