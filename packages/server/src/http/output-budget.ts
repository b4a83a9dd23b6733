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

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** For one answer, which may hold up to `maxBytes` of it. */
  open(maxBytes: number): OutputAllowance {
    let taken = 0;
    let exhausted = false;
    return {
      take: (bytes) => {
        exhausted ||= taken + bytes > maxBytes || this.#takenBytes + bytes > this.#maxBytes;
        if (exhausted) return false;
        taken += bytes;
        this.#takenBytes += bytes;
        return true;
      },
      get takenBytes() {
        return taken;
      },
      get exhausted() {
        return exhausted;
      },
      release: () => {
        this.#takenBytes -= taken;
        taken = 0;
      },
    };
  }
}
