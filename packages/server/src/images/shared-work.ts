interface Running<Result, Event> {
  readonly promise: Promise<Result>;
  readonly abort: AbortController;
  readonly listeners: Set<(event: Event) => void>;
  waiting: number;
}

/** Does what several ask for at the same time once, for as long as one of them still waits for it. */
export class SharedWork<Result, Event = never> {
  readonly #running = new Map<string, Running<Result, Event>>();

  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** Rejects when its own signal is aborted; the work is aborted when nobody is left. */
  async run(
    key: string,
    work: (signal: AbortSignal, emit: (event: Event) => void) => Promise<Result>,
    options: {
      readonly signal: AbortSignal;
      readonly onEvent?: ((event: Event) => void) | undefined;
    },
  ): Promise<Result> {
    const { signal, onEvent } = options;
    signal.throwIfAborted();
    const running = this.#running.get(key) ?? this.#begin(key, work);
    running.waiting += 1;
    if (onEvent !== undefined) running.listeners.add(onEvent);
    let leave: () => void = () => undefined;
    try {
      return await Promise.race([
        running.promise,
        new Promise<never>((_, reject) => {
          leave = () => reject(signal.reason);
          signal.addEventListener('abort', leave, { once: true });
        }),
      ]);
    } finally {
      signal.removeEventListener('abort', leave);
      if (onEvent !== undefined) running.listeners.delete(onEvent);
      running.waiting -= 1;
      if (running.waiting === 0) {
        // Whoever comes next begins anew, and does not get what was given up.
        this.#forget(key, running);
        running.abort.abort(signal.reason);
      }
    }
  }

  #begin(
    key: string,
    work: (signal: AbortSignal, emit: (event: Event) => void) => Promise<Result>,
  ): Running<Result, Event> {
    const abort = new AbortController();
    const listeners = new Set<(event: Event) => void>();
    const promise = work(abort.signal, (event) => {
      for (const listener of listeners) listener(event);
    });
    const running = { promise, abort, listeners, waiting: 0 };
    this.#running.set(key, running);
    const forget = (): void => this.#forget(key, running);
    promise.then(forget, forget);
    return running;
  }

  #forget(key: string, running: Running<Result, Event>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}
