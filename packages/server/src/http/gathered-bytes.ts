/** A shorter piece is copied: by itself it would take a hundred times its size. */
const smallBytes = 4_096;
const gatheredBytes = 16_384;

/** Bytes in few pieces, however short those are in which they come. */
export class GatheredBytes {
  readonly #pieces: Buffer[] = [];
  #open = Buffer.alloc(0);
  #used = 0;

  add(data: Buffer): void {
    if (data.byteLength >= smallBytes) {
      this.#close();
      this.#pieces.push(data);
      return;
    }
    if (this.#used + data.byteLength > this.#open.byteLength) {
      this.#close();
      this.#open = Buffer.alloc(gatheredBytes);
    }
    this.#open.set(data, this.#used);
    this.#used += data.byteLength;
  }

  whole(): Buffer {
    this.#close();
    return Buffer.concat(this.#pieces);
  }

  #close(): void {
    if (this.#used > 0) this.#pieces.push(Buffer.from(this.#open.subarray(0, this.#used)));
    this.#open = Buffer.alloc(0);
    this.#used = 0;
  }
}
