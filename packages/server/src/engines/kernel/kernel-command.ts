import type { KernelLanguage } from '@sandgate/core';

/** Where the engine shows the guest scripts inside a sandbox, read-only. */
export const kernelGuestDirectory = '/.sandbox/kernel';

/** File names of the guest scripts in `packages/server/guest`, copied as they are. */
export const kernelGuestFile: Readonly<Record<KernelLanguage, string>> = {
  python: 'python-kernel.py',
  node: 'node-kernel.cjs',
};

/** What the guest scripts load from their own directory when a value is shown in rich form. */
export const kernelDisplayFiles: readonly string[] = ['python-display.py', 'node-display.cjs'];

/** File name of the Python script after `compilePythonKernel`. */
const compiledPythonKernelFile = 'python-kernel.pyc';

/** Python scripts, each with its name after `compilePythonKernel` and its name in tracebacks. */
export const compiledPythonFiles = [
  { source: 'python-kernel.py', target: compiledPythonKernelFile, name: 'python-kernel' },
  { source: 'python-display.py', target: 'python-display.pyc', name: 'sandgate_display' },
] as const;

export interface KernelCommandOptions {
  /** Interpreter inside the sandbox: a name on its PATH or an absolute path. */
  readonly interpreter?: string;
  /** Directory that holds the guest script, as the interpreter sees it. */
  readonly directory?: string;
  /** The directory holds the Python script compiled by this very interpreter. Default: false. */
  readonly compiled?: boolean;
}

/** What a program does for itself when it starts, and needs no other to do before it. */
export interface ProgramStart {
  /** It becomes the leader of a session, unless it is one. */
  readonly makesSession: boolean;
  /** It ends at SIGINT and SIGQUIT, or handles them, also where it was started to ignore them. */
  readonly resetsSignals: boolean;
  /** It wants its input as fd 9, copies of fd 1 and 2 as 8 and 7, and `/dev/null` as fd 0. */
  readonly movesStreams: boolean;
}

/**
 * Node makes all signals the default's again when it starts, and marks every descriptor above 2
 * close-on-exec. It cannot make a session, nor duplicate a file descriptor.
 */
export const kernelStart: Readonly<Record<KernelLanguage, ProgramStart>> = {
  python: { makesSession: true, resetsSignals: true, movesStreams: false },
  node: { makesSession: false, resetsSignals: true, movesStreams: true },
};

/**
 * The program and arguments of a kernel, with replies on fd 3 and the rest as `kernelStart` says.
 * Python runs unbuffered and in UTF-8 mode, whatever the sandbox's locale.
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
  return [options.interpreter ?? 'node', script];
}
