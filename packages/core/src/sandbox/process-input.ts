import { SandgateError } from '../error/sandgate-error.ts';

interface Write {
  readonly data: Uint8Array;
  readonly taken: () => void;
  readonly refused: (error: SandgateError) => void;
}

/** Written, and not read by the process. One that never reads must not fill the memory of the server. */
const maxWaitingBytes = 8 * 1_024 * 1_024;

const closed = (): SandgateError =>
  new SandgateError('invalid_request', 'The standard input of this process is closed');

/** Standard input that is written piece by piece, and handed to an engine as one stream. */
export class ProcessInput implements AsyncIterable<Uint8Array> {
  readonly #writes: Write[] = [];
  /** What the reader has, and has not asked on for. */
  #given: Write | null = null;
  #isEnded = false;
  #waitingBytes = 0;
  #wake: () => void = () => undefined;

  get isOpen(): boolean {
    return !this.#isEnded;
  }

  /**
   * Resolves when the reader has asked for what follows.
   * @throws SandgateError `invalid_request`, and `capacity_exceeded` where too much waits to be read
   */
  async write(data: Uint8Array): Promise<void> {
    if (this.#isEnded) throw closed();
    if (this.#waitingBytes + data.byteLength > maxWaitingBytes) {
      throw new SandgateError(
        'capacity_exceeded',
        `This process has not read what it was sent before, and ${maxWaitingBytes} bytes are the most that wait for it`,
      );
    }
    this.#waitingBytes += data.byteLength;
    try {
      await new Promise<void>((taken, refused) => {
        this.#writes.push({ data, taken, refused });
        this.#wake();
      });
    } finally {
      this.#waitingBytes -= data.byteLength;
    }
  }

  /** What was written before is still read. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.end();
    // A reader that is gone never asks on.
    this.#given?.refused(closed());
    for (const { refused } of this.#writes.splice(0)) refused(closed());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#writes.shift();
      if (next !== undefined) {
        this.#given = next;
        try {
          yield next.data;
        } finally {
          this.#given = null;
          next.taken();
        }
        continue;
      }
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
