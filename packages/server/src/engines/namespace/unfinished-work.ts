/**
 * Cleaning up that may fail for a while, as without a free file descriptor. What failed is done
 * again with the next piece, and whenever somebody asks, until it succeeds.
 */
export class UnfinishedWork {
  readonly #left: (() => Promise<void>)[] = [];
  #retrying: Promise<void> | null = null;

  /** How many pieces are left to be done again. */
  get size(): number {
    return this.#left.length;
  }

  /** Does a piece of work now, or keeps it for later. Never rejects. */
  async do(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch {
      this.#left.push(work);
      return;
    }
    // It worked this time, so what did not may work as well.
    void this.retry();
  }

  /** Does again what is left. Never rejects. */
  retry(): Promise<void> {
    if (this.#left.length === 0) return this.#retrying ?? Promise.resolve();
    this.#retrying ??= this.#retryAll().finally(() => {
      this.#retrying = null;
    });
    return this.#retrying;
  }

  async #retryAll(): Promise<void> {
    for (const work of this.#left.splice(0)) await work().catch(() => this.#left.push(work));
  }
}
