/** Output that one answer may still hold. */
export interface OutputAllowance {
  /** False when that much may not be held any more; then nothing was taken. */
  take(bytes: number): boolean;
  readonly takenBytes: number;
  /** Something was refused: there is no use in asking for more. */
  readonly exhausted: boolean;
  /** Gives everything back. Called when the answer has left, or is never going to. */
  release(): void;
}

/** Output that all answers of a server hold in memory together, until they have left. */
export class OutputBudget {
  readonly #maxBytes: number;
  #takenBytes = 0;
  readonly #ofHolder = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /**
   * For one answer, which may hold up to `maxBytes` of it. What has the same holder may have half of all
   * together, so that nobody takes everything from the others.
   */
  open(maxBytes: number, holder: string): OutputAllowance {
    const add = (bytes: number): void => {
      taken += bytes;
      this.#takenBytes += bytes;
      const held = (this.#ofHolder.get(holder) ?? 0) + bytes;
      if (held > 0) this.#ofHolder.set(holder, held);
      else this.#ofHolder.delete(holder);
    };
    const isCrowded = (bytes: number): boolean => {
      const held = (this.#ofHolder.get(holder) ?? 0) + bytes;
      return this.#takenBytes + bytes > this.#maxBytes || held > this.#maxBytes / 2;
    };
    let taken = 0;
    let exhausted = false;
    return {
      take: (bytes) => {
        exhausted ||= taken + bytes > maxBytes || isCrowded(bytes);
        if (exhausted) return false;
        add(bytes);
        return true;
      },
      get takenBytes() {
        return taken;
      },
      get exhausted() {
        return exhausted;
      },
      release: () => add(-taken),
    };
  }
}
