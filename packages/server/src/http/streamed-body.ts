/** Bytes that wait for a client before whoever writes them is held back. */
const waitingBytes = 65_536;

/** The body of an answer that is written while the call goes on. */
export class StreamedBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #gone = new AbortController();
  readonly #waiting: (() => void)[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #ended = false;

  constructor() {
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wake(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: waitingBytes, size: (piece) => piece?.byteLength ?? 0 },
    );
  }

  /** Aborted when nobody reads the answer any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when there is room for more, and at once when nobody reads. */
  async write(data: Uint8Array): Promise<void> {
    const controller = this.#controller;
    if (this.#ended || controller === null || data.byteLength === 0) return;
    controller.enqueue(data);
    if ((controller.desiredSize ?? 0) > 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.close();
    this.#wake();
  }

  /** Cuts the connection, so that the client sees that something is missing. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.error(error);
    this.#wake();
  }

  #leave(): void {
    this.#ended = true;
    this.#gone.abort();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
