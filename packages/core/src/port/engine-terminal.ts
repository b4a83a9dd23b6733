import type { ExecOutcome, ProcessSignal } from './engine.ts';

export interface TerminalRequest {
  /** Program and arguments. At least one element. */
  readonly argv: readonly string[];
  /** Absolute; default is the sandbox's workdir. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** Called for each piece of what the program shows. A promise holds back reading. */
  readonly onOutput: (data: Buffer) => void | Promise<void>;
}

/** A program on a pseudo-terminal of its own. */
export interface Terminal {
  /** Types. Resolves when the terminal has taken it. */
  write(data: Uint8Array): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** To the foreground process group. `SIGKILL` and `SIGHUP` end the session. */
  signal(signal: ProcessSignal): void;
  /** Resolves when the program has ended and all its output was delivered. Never rejects. */
  readonly exited: Promise<ExecOutcome>;
}
