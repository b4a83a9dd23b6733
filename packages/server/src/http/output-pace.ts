/** Pieces of output that a server takes in one tick from all that run too fast. */
const turnsInTick = 16;
const tickMs = 10;

/**
 * Holds back output that comes faster than it is worth reading: the pipe fills, and what writes to
 * it waits. A pipe that was held back gives 64 KiB at its next turn, so that no honest program gets
 * slow by it, and the server reads 100 MB in a second at most.
 */
export class OutputPace {
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** Resolves when it is the caller's turn, in the order of the calls. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#timer ??= setInterval(() => this.#tick(), tickMs);
    });
  }

  #tick(): void {
    for (const go of this.#waiting.splice(0, turnsInTick)) go();
    if (this.#waiting.length > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
