interface Piece {
  readonly data: Uint8Array;
  readonly taken: () => void;
}

/** What is typed into a terminal, for the one program that reads it. */
export class TypedInput implements AsyncIterable<Uint8Array> {
  readonly #waiting: Piece[] = [];
  #given: Piece | null = null;
  #wake: () => void = () => undefined;
  #closed = false;

  /** Resolves when the program's next piece is asked for, or when nobody reads any more. */
  type(data: Uint8Array): Promise<void> {
    if (this.#closed || data.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      // The caller may use its buffer for the next piece.
      this.#waiting.push({ data: Uint8Array.from(data), taken: resolve });
      this.#wake();
    });
  }

  close(): void {
    this.#closed = true;
    this.#given?.taken();
    for (const { taken } of this.#waiting.splice(0)) taken();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (!this.#closed) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#given = next;
      yield next.data;
      this.#given = null;
      next.taken();
    }
  }
}
