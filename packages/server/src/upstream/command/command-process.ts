import { type ExecOutcome, type ExecRequest, ProcessInput, SandgateError } from '@sandgate/core';
import { failed } from '../upstream-failure.ts';
import { LineSplitter } from './line-splitter.ts';
import { readStdioMessage, type StdioMessage } from './stdio-message.ts';

/** As long as what clients may send. */
const maxLineBytes = 4 * 1024 * 1024;
/** Some programs greet on their standard output. One that goes on speaks another language. */
const maxForeignLines = 100;
/** To end by itself when its input has ended. */
const graceMs = 2_000;

export interface CommandProcessOptions {
  /** Runs the command; what it needs beside its streams is known there. */
  readonly exec: (
    request: Pick<ExecRequest, 'stdin' | 'signal' | 'onOutput'>,
  ) => Promise<ExecOutcome>;
  /** A promise holds back reading. */
  readonly onMessage: (message: StdioMessage) => void | Promise<void>;
  /** What it writes and is no message: for the owner of the command, and nobody else. */
  readonly onLog: (data: Buffer) => Promise<void>;
  /** Called once, with what its callers are told. */
  readonly onEnded: (why: SandgateError) => void;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** A command that speaks MCP by lines of its standard input and output. */
export class CommandProcess {
  readonly #input = new ProcessInput();
  readonly #kill = new AbortController();
  readonly #lines = new LineSplitter(maxLineBytes);
  readonly #options: CommandProcessOptions;
  #foreignLines = 0;
  /** Why it is ended, where it does not end by itself. */
  #why: SandgateError | null = null;

  constructor(options: CommandProcessOptions) {
    this.#options = options;
    void this.#run();
  }

  /** Resolves when it is taken. @throws SandgateError `capacity_exceeded` when too much waits to be read */
  async write(message: string): Promise<void> {
    try {
      await this.#input.write(Buffer.from(`${message}\n`));
    } catch (error) {
      const isFull = error instanceof SandgateError && error.code === 'capacity_exceeded';
      // The end of its input is told of by the end of the process.
      if (isFull) throw error;
    }
  }

  /** Its input ends, and after a grace the process. */
  end(why: SandgateError): void {
    if (this.#why !== null) return;
    this.#why = why;
    this.#input.end();
    const cancel = this.#options.after(graceMs, () => this.#kill.abort());
    this.#kill.signal.addEventListener('abort', cancel);
    this.#options.onEnded(why);
  }

  async #run(): Promise<void> {
    const why = await this.#ended();
    this.#input.abandon();
    // Cancels the grace.
    this.#kill.abort();
    if (this.#why !== null) return;
    this.#why = why;
    this.#options.onEnded(why);
  }

  async #ended(): Promise<SandgateError> {
    try {
      const outcome = await this.#options.exec({
        stdin: this.#input,
        signal: this.#kill.signal,
        onOutput: ({ stream, data }) =>
          stream === 'stderr' ? this.#options.onLog(data) : this.#read(data),
      });
      return failed(
        outcome.kind === 'exited'
          ? `its command ended with exit code ${outcome.exitCode}`
          : 'its sandbox ended',
      );
    } catch (error) {
      if (error instanceof SandgateError) {
        await this.#options.onLog(Buffer.from(`${error.message}\n`));
      }
      return failed('its command cannot be started', error);
    }
  }

  async #read(data: Buffer): Promise<void> {
    if (this.#why !== null) return;
    const lines = this.#lines.push(data);
    if (lines === null)
      return this.#break(`its command wrote a line of more than ${maxLineBytes} bytes`);
    for (const line of lines) {
      if (this.#why !== null) return;
      const message = readStdioMessage(line);
      if (message !== null) await this.#options.onMessage(message);
      else if (line.trim() !== '') await this.#takeForeign(line);
    }
  }

  async #takeForeign(line: string): Promise<void> {
    this.#foreignLines += 1;
    await this.#options.onLog(Buffer.from(`${line}\n`));
    if (this.#foreignLines > maxForeignLines) this.#break('its command does not speak MCP');
  }

  #break(why: string): void {
    this.end(failed(why));
    this.#kill.abort();
  }
}
