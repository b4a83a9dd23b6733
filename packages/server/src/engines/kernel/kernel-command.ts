import type { KernelLanguage } from '@sandgate/core';

/** Where the engine shows the guest scripts inside a sandbox, read-only. */
export const kernelGuestDirectory = '/.sandbox/kernel';

/** File names of the guest scripts in `packages/server/guest`, copied as they are. */
export const kernelGuestFile: Readonly<Record<KernelLanguage, string>> = {
  python: 'python-kernel.py',
  node: 'node-kernel.cjs',
};

/** File name of the Python script after `compilePythonKernel`. */
export const compiledPythonKernelFile = 'python-kernel.pyc';

export interface KernelCommandOptions {
  /** Interpreter inside the sandbox: a name on its PATH or an absolute path. */
  readonly interpreter?: string;
  /** Directory that holds the guest script, as the interpreter sees it. */
  readonly directory?: string;
  /** The directory holds the Python script compiled by this very interpreter. Default: false. */
  readonly compiled?: boolean;
}

/**
 * The program and arguments that start a kernel, with requests on fd 0, output on fd 1 and 2 and
 * replies on fd 3.
 *
 * Python runs unbuffered and in UTF-8 mode, whatever the sandbox's locale. Node cannot duplicate a
 * file descriptor, so `/bin/sh` does it before it becomes Node: requests move to fd 9, private
 * copies of stdout and stderr to 8 and 7, and user code finds an empty standard input. Node marks
 * all of these close-on-exec when it starts.
 */
export function kernelCommand(
  language: KernelLanguage,
  options: KernelCommandOptions = {},
): readonly string[] {
  const compiled = language === 'python' && options.compiled === true;
  const file = compiled ? compiledPythonKernelFile : kernelGuestFile[language];
  const script = `${options.directory ?? kernelGuestDirectory}/${file}`;
  if (language === 'python') {
    return [options.interpreter ?? 'python3', '-u', '-X', 'utf8', script];
  }
  const redirect = 'exec "$@" 9<&0 0</dev/null 8>&1 7>&2';
  const node = [options.interpreter ?? 'node', script];
  return ['/bin/sh', '-c', redirect, 'sh', ...node];
}
