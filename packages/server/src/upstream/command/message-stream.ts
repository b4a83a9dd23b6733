/** What of a stream may wait for its reader before its writer has to. */
const maxWaitingBytes = 65_536;

/** Messages as server-sent events, written no faster than they are read. */
export class MessageStream {
  readonly body: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #isOver = false;
  #wake: (() => void)[] = [];

  /** `onLeft` is called when its reader goes before its end. */
  constructor(onLeft: () => void) {
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wakeAll(),
        cancel: () => {
          if (!this.#finish()) return;
          onLeft();
        },
      },
      { highWaterMark: maxWaitingBytes, size: (piece) => piece.byteLength },
    );
  }

  /** `message` is JSON without line breaks. Resolves when there is room for more. */
  async push(message: string): Promise<void> {
    if (this.#isOver) return;
    this.#controller.enqueue(Buffer.from(`event: message\ndata: ${message}\n\n`));
    if ((this.#controller.desiredSize ?? 1) > 0) return;
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  end(): void {
    if (this.#finish()) this.#controller.close();
  }

  fail(error: unknown): void {
    if (this.#finish()) this.#controller.error(error);
  }

  /** False: it was over already. */
  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#wakeAll();
    return true;
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
