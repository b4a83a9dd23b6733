const bufferedBytes = 65_536;

/** A body that is written piece by piece, as fast as it is read. */
export interface PushedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Resolves when there is room for more. What is written for nobody is dropped. */
  write(data: Uint8Array): Promise<void>;
  close(): void;
  /** Breaks it off, so that the client sees that it is not whole. */
  fail(error: unknown): void;
}

/** `onGone` is called when nobody reads any more. */
export function createPushedBody(onGone: () => void): PushedBody {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const go of woken) go();
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull: wake,
      cancel() {
        controller = null;
        wake();
        onGone();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bufferedBytes }),
  );
  return {
    stream,
    async write(data) {
      controller?.enqueue(data);
      if ((controller?.desiredSize ?? 1) > 0) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    close() {
      controller?.close();
      controller = null;
    },
    fail(error) {
      controller?.error(error);
      controller = null;
      wake();
    },
  };
}
