import { quoteShell } from '../quote-shell.ts';
import type { TerminalProgram } from './terminal-program.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Keeps a way to report on fd 9, where the error stream was, and a `SHELL` of the sandbox for the
 * program, as `script` would run that.
 */
const prepare = `
exec 9>&2 2>/dev/null
if [ -n "\${SHELL+set}" ]; then export _terminal_shell="$SHELL"; unset SHELL; fi
exec "$@"
`;

const restoreShell = `
if [ -n "\${_terminal_shell+set}" ]; then export SHELL="$_terminal_shell"; unset _terminal_shell; fi
`;

/** What is run for a program on a terminal of its own. It reports its terminal and process id on stderr. */
export function terminalCommand(
  terminal: TerminalProgram,
  argv: readonly string[],
  { columns, rows }: TerminalSize,
): readonly string[] {
  const [program = ''] = argv;
  // A shell would take a first word with a dash for an option of its `exec`.
  const words = program.startsWith('-') ? ['env', '--', ...argv] : argv;
  const line = [
    `stty echo iutf8 rows ${rows} cols ${columns} 2>/dev/null`,
    'echo "$$ $(tty)" >&9; exec 9>&-',
    restoreShell,
    `exec ${words.map(quoteShell).join(' ')}`,
  ].join('\n');
  return ['/bin/sh', '-c', prepare, 'sh', ...terminal.argv(line)];
}

export interface TerminalReport {
  /** Of the program inside, which leads a session. */
  readonly pid: number;
  readonly path: string;
}

/** A report is one short line. */
export const maxTerminalReportBytes = 64;

/** The report in one line without its newline, or null when it is none. */
export function parseTerminalReport(line: string): TerminalReport | null {
  const [, pid, path] = /^([1-9]\d{0,9}) (\/dev\/pts\/\d{1,9})$/.exec(line) ?? [];
  return pid === undefined || path === undefined ? null : { pid: Number(pid), path };
}
