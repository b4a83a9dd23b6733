/**
 * The signal of a call's client, which is cut for other reasons too. The two are joined when somebody asks: most
 * calls are answered without. What a call is given may be assigned to one of these: a literal with a
 * getter, made for each call, would leave V8 a hidden class of its own each time.
 */
export class CutSignal {
  readonly #client: () => AbortSignal;
  readonly #cut = new AbortController();
  #joined: AbortSignal | null = null;

  constructor(client: () => AbortSignal) {
    this.#client = client;
  }

  /** Aborted when the client goes away, or by `cut`. */
  get signal(): AbortSignal {
    this.#joined ??= AbortSignal.any([this.#client(), this.#cut.signal]);
    return this.#joined;
  }

  cut(reason: Error): void {
    this.#cut.abort(reason);
  }
}
