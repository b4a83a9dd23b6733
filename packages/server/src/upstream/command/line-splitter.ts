const firstBytes = 4_096;

/** Cuts what arrives in pieces, of whatever size, into lines of UTF-8. */
export class LineSplitter {
  readonly #maxBytes: number;
  /** What has arrived of a line that is not whole. */
  #held = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the lines that are whole now; null: one is longer than `maxBytes` */
  push(data: Buffer): readonly string[] | null {
    const lines: string[] = [];
    let at = 0;
    for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a, at)) {
      if (!this.#hold(data.subarray(at, end))) return null;
      lines.push(this.#held.toString('utf8', 0, this.#length));
      this.#held = Buffer.alloc(0);
      this.#length = 0;
      at = end + 1;
    }
    return this.#hold(data.subarray(at)) ? lines : null;
  }

  #hold(piece: Buffer): boolean {
    const length = this.#length + piece.byteLength;
    if (length > this.#maxBytes) return false;
    if (length > this.#held.byteLength) {
      const larger = Buffer.alloc(Math.max(firstBytes, length, this.#length * 2));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#length);
    this.#length = length;
    return true;
  }
}
