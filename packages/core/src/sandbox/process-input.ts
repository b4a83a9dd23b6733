import { SandgateError } from '../error/sandgate-error.ts';

interface Write {
  readonly data: Uint8Array;
  readonly taken: () => void;
  readonly refused: (error: SandgateError) => void;
}

const closed = (): SandgateError =>
  new SandgateError('invalid_request', 'The standard input of this process is closed');

/** Standard input that is written piece by piece, and handed to an engine as one stream. */
export class ProcessInput implements AsyncIterable<Uint8Array> {
  readonly #writes: Write[] = [];
  /** What the reader has, and has not asked on for. */
  #given: Write | null = null;
  #isEnded = false;
  #wake: () => void = () => undefined;

  get isOpen(): boolean {
    return !this.#isEnded;
  }

  /** Resolves when the reader has asked for what follows. @throws SandgateError `invalid_request` */
  write(data: Uint8Array): Promise<void> {
    if (this.#isEnded) return Promise.reject(closed());
    return new Promise((taken, refused) => {
      this.#writes.push({ data, taken, refused });
      this.#wake();
    });
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
