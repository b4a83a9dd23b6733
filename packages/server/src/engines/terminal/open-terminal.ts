import {
  type ExecOutcome,
  type ExecRequest,
  type ProcessSignal,
  SandgateError,
  type Terminal,
  type TerminalRequest,
} from '@sandgate/core';
import { signalSession } from './signal-session.ts';
import {
  maxTerminalReportBytes,
  parseTerminalReport,
  type TerminalReport,
  type TerminalSize,
  terminalCommand,
} from './terminal-command.ts';
import type { TerminalProgram } from './terminal-program.ts';
import { TypedInput } from './typed-input.ts';

/** Runs a command inside. `program` is what has to be there for it, where that is not its first word. */
type Exec = (request: ExecRequest, program?: string) => Promise<ExecOutcome>;

/** The kernel keeps a size in two bytes each (ioctl_tty(2), TIOCSWINSZ). */
const maxSize = 65_535;
const defaultType = 'xterm-256color';

/**
 * Runs a program on a pseudo-terminal of the sandbox's own.
 * @throws SandgateError as `exec` does
 */
export async function openTerminal(
  exec: Exec,
  program: TerminalProgram,
  request: TerminalRequest,
): Promise<Terminal> {
  requireSize(request);
  const [name] = request.argv;
  if (name === undefined) {
    throw new SandgateError('invalid_request', 'A terminal needs at least the name of a program.');
  }
  const input = new TypedInput();
  const closing = new AbortController();
  const opened = Promise.withResolvers<TerminalReport>();
  let report = '';
  let known = false;
  const hear = (data: Buffer): void => {
    if (known) return;
    report += data.toString('latin1');
    const end = report.indexOf('\n');
    if (end < 0 && report.length <= maxTerminalReportBytes) return;
    known = true;
    const found = parseTerminalReport(report.slice(0, end));
    if (found === null) closing.abort();
    else opened.resolve(found);
  };
  const running = exec(
    {
      argv: terminalCommand(program, request.argv, request),
      ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
      environment: { TERM: defaultType, ...request.environment },
      stdin: input,
      signal: closing.signal,
      onOutput: ({ stream, data }) => (stream === 'stdout' ? request.onOutput(data) : hear(data)),
    },
    name,
  ).finally(() => input.close());
  running.then(() => opened.reject(notOpened()), opened.reject);
  const { pid, path } = await opened.promise;
  return new OpenTerminal(exec, input, { pid, path }, running);
}

class OpenTerminal implements Terminal {
  readonly exited: Promise<ExecOutcome>;
  readonly #exec: Exec;
  readonly #input: TypedInput;
  readonly #report: TerminalReport;
  #ended = false;

  constructor(
    exec: Exec,
    input: TypedInput,
    report: TerminalReport,
    running: Promise<ExecOutcome>,
  ) {
    this.#exec = exec;
    this.#input = input;
    this.#report = report;
    this.exited = running
      // Of a reader that failed, or a program that was lost track of.
      .catch((): ExecOutcome => ({ kind: 'aborted' }))
      .finally(() => {
        this.#ended = true;
      });
  }

  write(data: Uint8Array): Promise<void> {
    return this.#input.type(data);
  }

  async resize(columns: number, rows: number): Promise<void> {
    requireSize({ columns, rows });
    const size = ['rows', String(rows), 'cols', String(columns)];
    await this.#run(['stty', '-F', this.#report.path, ...size]);
  }

  signal(signal: ProcessSignal): void {
    this.#run(signalSession(this.#report.pid, signal)).catch(() => {});
  }

  async #run(argv: readonly string[]): Promise<void> {
    if (this.#ended) return;
    const environment = { PATH: '/usr/bin:/bin' };
    await this.#exec({ argv, cwd: '/', environment, onOutput: () => undefined });
  }
}

function requireSize({ columns, rows }: TerminalSize): void {
  for (const size of [columns, rows]) {
    if (!Number.isSafeInteger(size) || size < 1 || size > maxSize) {
      throw new SandgateError(
        'invalid_request',
        `A terminal has 1 to ${maxSize} columns, and as many rows.`,
      );
    }
  }
}

const notOpened = (): SandgateError =>
  new SandgateError('engine_failed', 'The sandbox could not open a terminal.');
