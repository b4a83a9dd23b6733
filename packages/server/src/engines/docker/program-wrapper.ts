import { SandgateError } from '@sandgate/core';
import { encodeBytes } from '../byte-text.ts';
import {
  isShellsOwn,
  requireProgram,
  requireShortArguments,
  requireVariableName,
} from '../valid-command.ts';

export interface WrappedProgram {
  readonly argv: readonly string[];
  /** A program that has to be there, where that is not the first word. */
  readonly needed?: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Name of a FIFO under `runDirectory` that the program gets as fd 3. */
  readonly control?: string;
  /** The program wants its input as fd 9, copies of its outputs as 8 and 7, and `/dev/null` as fd 0. */
  readonly movesStreams?: boolean;
}

/** A small tmpfs of the sandbox's user, for the engine's own FIFOs. */
export const runDirectory = '/.sandbox/run';

/**
 * A shell that says on stderr what becomes of the program, in one line that begins with a token, and
 * then becomes it. The daemon itself tells a missing program or directory from one that fails only in
 * words, and never by which number the sandbox knows a process.
 */
const script = `
_agent_token=$1
_agent_options=$2
_agent_control=$3
_agent_directory=$4
_agent_program=$5
_agent_count=$6
shift 6
say() { echo "$_agent_token $1" >&2; }
has_program() {
  case $1 in
    '') return 1 ;;
    */*) [ -f "$1" ] && [ -x "$1" ]; return ;;
  esac
  IFS=:
  set -f
  for _agent_each in $PATH; do
    _agent_each=\${_agent_each:-.}/$1
    if [ -f "$_agent_each" ] && [ -x "$_agent_each" ]; then return 0; fi
  done
  return 1
}
unset HOSTNAME OLDPWD
while [ "$_agent_count" -gt 0 ]; do
  export "$1"
  shift
  _agent_count=$((_agent_count - 1))
done
cd -- "$_agent_directory" 2>/dev/null || { say nodirectory; exit 0; }
unset OLDPWD
has_program "$_agent_program" || { say missing; exit 0; }
unset IFS
if [ -n "$_agent_control" ]; then mkfifo -m 600 "$_agent_control" || { say failed; exit 0; }; fi
say "started $$"
if [ -n "$_agent_control" ]; then exec 3>"$_agent_control"; fi
case $_agent_options in
  *b*) eval "set -- $(printf '%b' "$1")" ;;
esac
case $_agent_options in
  *m*) exec "$@" 9<&0 8>&1 7>&2 </dev/null ;;
  *) exec "$@" ;;
esac
`;

/**
 * The command line that runs a program so.
 * @throws SandgateError `invalid_request`
 */
export function wrapProgram(token: string, wrapped: WrappedProgram): readonly string[] {
  const program = requireProgram(wrapped.argv);
  const names = Object.keys(wrapped.environment);
  for (const name of names) requireVariableName(name);
  const assign = (name: string): string => `${name}=${wrapped.environment[name]}`;
  const exported = names.filter((name) => !isShellsOwn(name)).map(assign);
  const assigned = names.filter(isShellsOwn).map(assign);
  const command = commandOf(wrapped.argv, program, assigned);
  const words = [...exported, ...command];
  requireShortArguments(words);
  if ([wrapped.cwd, ...words].some((word) => word.includes('\0'))) {
    throw new SandgateError('invalid_request', 'Arguments, paths and variables cannot hold a NUL.');
  }
  const control = wrapped.control === undefined ? '' : `${runDirectory}/${wrapped.control}`;
  const isText = command.every((word) => word.isWellFormed());
  const options = `${wrapped.movesStreams === true ? 'm' : ''}${isText ? '' : 'b'}`;
  return [
    ...['/bin/sh', '-c', script, 'sh', token, options, control, wrapped.cwd],
    ...[
      wrapped.needed ?? program,
      String(exported.length),
      ...exported,
      ...(isText ? command : [escapeWords(command)]),
    ],
  ];
}

/** What the shell's `exec` would take for an option or a variable goes through `env`. */
function commandOf(
  argv: readonly string[],
  program: string,
  assigned: readonly string[],
): readonly string[] {
  const isAssignment = program.includes('=');
  if (assigned.length === 0 && !isAssignment && !program.startsWith('-')) return argv;
  const plain = isAssignment ? ['/bin/sh', '-c', 'exec "$0" "$@"', ...argv] : argv;
  return ['/usr/bin/env', '--', ...assigned, ...plain];
}

/**
 * Words that are bytes and not text, which the daemon's JSON cannot carry: quoted for a shell, with every
 * other character than printable ASCII as an escape of `printf %b` (POSIX.1-2024, XCU printf).
 */
function escapeWords(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return [...encodeBytes(quoted)]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\0${byte.toString(8).padStart(3, '0')}`,
    )
    .join('');
}

export type WrapperReport =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'missing_program' }
  | { readonly kind: 'missing_directory' }
  | { readonly kind: 'failed' };

/** Longest line that a wrapper writes. */
export const maxReportBytes = 128;

/** What a wrapper said, or null for what no wrapper with that token says. */
export function parseWrapperReport(token: string, line: string): WrapperReport | null {
  const [, word, pid] =
    new RegExp(`^${token} (started|missing|nodirectory|failed)(?: ([0-9]{1,10}))?$`).exec(line) ??
    [];
  switch (word) {
    case 'started':
      return pid === undefined ? null : { kind: 'started', pid: Number(pid) };
    case 'missing':
      return { kind: 'missing_program' };
    case 'nodirectory':
      return { kind: 'missing_directory' };
    case 'failed':
      return { kind: 'failed' };
    default:
      return null;
  }
}

/** @throws SandgateError for a program that was not started */
export function requireStarted(
  report: WrapperReport | null,
  program: string | undefined,
  cwd: string | undefined,
): void {
  switch (report?.kind) {
    case 'started':
      return;
    case 'missing_program':
      throw new SandgateError(
        'command_not_found',
        `There is no program ${JSON.stringify(program)} in this sandbox.`,
      );
    case 'missing_directory':
      throw new SandgateError(
        'workdir_missing',
        `There is no directory ${JSON.stringify(cwd)} in this sandbox.`,
      );
    default:
      throw new SandgateError(
        'engine_failed',
        'The sandbox could not start the program; it may be out of memory or processes.',
      );
  }
}
