/** Cuts a stream into lines, wherever its chunks are cut, without copying a long one again and again. */
export class LineReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** Bytes of a line that has not ended yet. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Takes the stream's next bytes and returns the lines that they end, without their newlines. */
  *push(chunk: Buffer): Generator<Buffer> {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...this.#pieces, rest.subarray(0, end)]);
      this.clear();
      rest = rest.subarray(end + 1);
      yield line;
    }
    if (rest.length > 0) this.#pieces.push(rest);
    this.#bytes += rest.length;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
