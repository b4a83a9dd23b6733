import { readSync } from 'node:fs';
import type { OutputChunk } from '@sandgate/core';
import type { FifoReader } from './agent-job.ts';

type OnOutput = (chunk: OutputChunk) => void | Promise<void>;

/**
 * How long a command's streams are followed after it has ended, when something that it left running
 * keeps them open. What the command itself wrote is delivered in any case.
 */
const outputGraceMs = 100;

/** The most that a pipe holds (pipe(7), pipe-max-size): nothing that was written before can be behind it. */
const maxPipeBytes = 1_048_576;

/** Hands one stream's bytes to `onOutput`, one piece at a time, and waits for its promises. */
export class OutputDelivery {
  /** Resolves at the end of the stream, after the last piece. Rejects when `onOutput` fails. */
  readonly finished: Promise<void>;
  readonly #reader: FifoReader;
  readonly #stream: OutputChunk['stream'];
  readonly #onOutput: OnOutput;
  #pending: Promise<void> | null = null;
  #ended = false;
  #fail: (cause: unknown) => void = () => {};

  constructor(reader: FifoReader, stream: OutputChunk['stream'], onOutput: OnOutput) {
    this.#reader = reader;
    this.#stream = stream;
    this.#onOutput = onOutput;
    this.finished = new Promise((resolve, reject) => {
      this.#fail = reject;
      reader.socket.on('close', () => {
        this.#ended = true;
        if (this.#pending === null) resolve();
        else this.#pending.then(resolve, reject);
      });
    });
    // The one who runs the command looks at it when the command has ended.
    this.finished.catch(() => {});
    reader.socket.on('data', (data: Buffer) => this.#deliver(data));
  }

  /** Delivers what is in the pipe, and no more, when the stream has not ended by itself in time. */
  async finish(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, outputGraceMs);
    });
    await Promise.race([this.finished, grace]);
    clearTimeout(timer);
    if (this.#ended) return this.finished;
    const { socket, fd } = this.#reader;
    socket.removeAllListeners('data');
    socket.pause();
    if (this.#pending !== null) await this.#pending;
    const buffered: Buffer | null = socket.read();
    if (buffered !== null) await this.#onOutput({ stream: this.#stream, data: buffered });
    for (let total = 0; total < maxPipeBytes && !this.#ended; ) {
      const data = readAvailable(fd);
      if (data === null) break;
      total += data.length;
      await this.#onOutput({ stream: this.#stream, data });
    }
    socket.destroy();
  }

  #deliver(data: Buffer): void {
    const { socket } = this.#reader;
    try {
      const held = this.#onOutput({ stream: this.#stream, data });
      if (held === undefined) return;
      socket.pause();
      this.#pending = held.then(() => {
        this.#pending = null;
        socket.resume();
      });
      this.#pending.catch((cause: unknown) => this.#abandon(cause));
    } catch (cause) {
      this.#abandon(cause);
    }
  }

  #abandon(cause: unknown): void {
    this.#fail(cause);
    this.#reader.socket.destroy();
  }
}

/** What a read gives at once; null when there is nothing, or no writer any more. */
function readAvailable(fd: number): Buffer | null {
  const buffer = Buffer.allocUnsafe(65_536);
  try {
    const length = readSync(fd, buffer);
    return length === 0 ? null : buffer.subarray(0, length);
  } catch {
    return null;
  }
}
