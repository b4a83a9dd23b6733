import type { Readable } from 'node:stream';
import type { KernelRunRequest } from '@sandgate/core';
import type { KernelProcess } from './kernel-process.ts';
import {
  type KernelReply,
  maxReplyBytes,
  maxResultBytes,
  parseKernelLine,
} from './kernel-reply.ts';
import { LineReader } from './line-reader.ts';
import { RunOutputSplitter, runMarker } from './run-output-splitter.ts';
import type { StartTimer } from './start-timer.ts';

export type SessionResult =
  | { readonly kind: 'replied'; readonly reply: KernelReply }
  /** `begun` is false when the interpreter was gone before it took up the run. */
  | { readonly kind: 'exited'; readonly exitCode: number; readonly begun: boolean }
  /** The guest said something that is not a reply, or the client's receiver failed. */
  | { readonly kind: 'broken'; readonly reason: string; readonly cause?: unknown };

interface OpenRun {
  readonly number: number;
  readonly onOutput: KernelRunRequest['onOutput'];
  readonly onResult: KernelRunRequest['onResult'];
  readonly resolve: (result: SessionResult) => void;
  reply: KernelReply | undefined;
}

/**
 * One interpreter process and the run it works on. What the process says is hostile input: replies
 * are parsed strictly and bounded, and anything else breaks the session.
 */
export class KernelSession {
  readonly #process: KernelProcess;
  readonly #splitters = { stdout: new RunOutputSplitter(), stderr: new RunOutputSplitter() };
  readonly #drained: Promise<unknown>;
  #run: OpenRun | undefined;
  #lastNumber = 0;
  /** Calls of `onOutput` and `onResult` that have not come back. */
  #delivering = 0;
  #usable = true;

  /** `drainMs`: how long output may arrive after the process has ended. */
  constructor(process: KernelProcess, startTimer: StartTimer, drainMs: number) {
    this.#process = process;
    process.stdin.on('error', () => undefined);
    this.#drained = Promise.all([
      this.#pumpOutput('stdout', process.stdout),
      this.#pumpOutput('stderr', process.stderr),
      this.#pumpReplies(process.control),
    ]);
    void process.exited.then(async (exitCode) => {
      this.#usable = false;
      await this.#drain(startTimer, drainMs);
      const begun = this.#splitters.stdout.begun || this.#splitters.stderr.begun;
      this.#close({ kind: 'exited', exitCode, begun });
      this.#release();
    });
  }

  /** False once the process has ended or was told to. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Sends code and resolves when its reply and the ends of both output streams are here. */
  run({ code, onOutput, onResult }: KernelRunRequest, token: string): Promise<SessionResult> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const marker = runMarker(token);
    this.#splitters.stdout.expect(marker);
    this.#splitters.stderr.expect(marker);
    return new Promise((resolve) => {
      this.#run = { number, onOutput, onResult, resolve, reply: undefined };
      const source = Buffer.from(code, 'utf8');
      const rich = onResult === undefined ? '' : ' rich';
      this.#process.stdin.write(`${number} ${token} ${source.length}${rich}\n`);
      this.#process.stdin.write(source);
    });
  }

  interrupt(): void {
    this.#process.kill('SIGINT');
  }

  kill(): void {
    this.#usable = false;
    this.#process.kill('SIGKILL');
  }

  /** Lets go of the current run: no output is delivered from here on. */
  abandon(): void {
    this.#run = undefined;
  }

  /**
   * Waits for the ends of the streams. A background process that user code started may hold them
   * open for ever, so this waits no longer than `drainMs` for output, but for a slow receiver of it.
   */
  async #drain(startTimer: StartTimer, drainMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    let cancel = (): void => undefined;
    const check = (): void => {
      if (this.#run !== undefined && this.#delivering > 0) cancel = startTimer(check, drainMs);
      else resolve();
    };
    cancel = startTimer(check, drainMs);
    await Promise.race([this.#drained, late]);
    cancel();
  }

  async #pumpOutput(name: 'stdout' | 'stderr', stream: Readable): Promise<void> {
    const splitter = this.#splitters[name];
    try {
      for await (const chunk of stream) {
        await this.#deliver(name, splitter.push(chunk));
        this.#closeIfComplete();
      }
    } catch {
      // A stream that breaks has ended.
    }
    await this.#deliver(name, splitter.flush());
  }

  async #deliver(stream: 'stdout' | 'stderr', data: Buffer): Promise<void> {
    if (data.length > 0) await this.#handOver((run) => run.onOutput({ stream, data }));
  }

  /** Calls a receiver of the run, and waits for it. */
  async #handOver(call: (run: OpenRun) => void | Promise<void>): Promise<void> {
    if (this.#run === undefined) return;
    this.#delivering += 1;
    try {
      await call(this.#run);
    } catch (cause) {
      this.#break('The receiver of the output failed.', cause);
    } finally {
      this.#delivering -= 1;
    }
  }

  async #pumpReplies(stream: Readable): Promise<void> {
    const lines = new LineReader();
    try {
      for await (const chunk of stream) {
        for (const line of lines.push(chunk)) await this.#takeLine(line);
        if (lines.pendingBytes > this.#maxLineBytes) {
          this.#break('A reply of the kernel is too long.');
        }
        if (!this.#usable) lines.clear();
      }
    } catch {
      // A stream that breaks has ended.
    }
  }

  get #maxLineBytes(): number {
    return this.#run?.onResult === undefined ? maxReplyBytes : maxResultBytes;
  }

  async #takeLine(bytes: Buffer): Promise<void> {
    const run = this.#run;
    const line =
      run === undefined || run.reply !== undefined || bytes.length > this.#maxLineBytes
        ? undefined
        : parseKernelLine(bytes.toString('utf8'), run.number);
    if (line?.status === 'shown' && run?.onResult !== undefined) {
      const { onResult } = run;
      await this.#handOver(() => onResult(line.result));
    } else if (run === undefined || line === undefined || line.status === 'shown') {
      this.#break('The kernel sent something that is not a reply.');
      return;
    } else run.reply = line;
    this.#closeIfComplete();
  }

  #closeIfComplete(): void {
    const reply = this.#run?.reply;
    const { stdout, stderr } = this.#splitters;
    if (reply === undefined || !stdout.ended || !stderr.ended || this.#delivering > 0) return;
    this.#close({ kind: 'replied', reply });
  }

  #break(reason: string, cause?: unknown): void {
    if (this.#usable) this.kill();
    this.#close({ kind: 'broken', reason, cause });
  }

  #close(result: SessionResult): void {
    const run = this.#run;
    this.#run = undefined;
    run?.resolve(result);
  }

  #release(): void {
    const { stdin, stdout, stderr, control } = this.#process;
    for (const stream of [stdin, stdout, stderr, control]) stream.destroy();
  }
}
