/** Begins every marker; never part of UTF-8, so that text is never held back in search of one. */
const markerByte = 0xff;

/** The bytes that a guest writes before and after the output of a run. */
export function runMarker(token: string): Buffer {
  return Buffer.concat([Buffer.of(markerByte), Buffer.from(token, 'latin1')]);
}

/**
 * Finds the output of one run in one stream: the bytes between two copies of its marker, wherever
 * the stream's chunks are cut. Bytes outside belong to no run.
 */
export class RunOutputSplitter {
  #state: 'closed' | 'waiting' | 'open' = 'closed';
  #marker: Buffer = Buffer.alloc(0);
  #held: Buffer = Buffer.alloc(0);

  /** The first marker was seen: the guest has begun the run. */
  get begun(): boolean {
    return this.#began;
  }
  #began = false;

  get ended(): boolean {
    return this.#state === 'closed';
  }

  /** Starts looking for the run with this marker. */
  expect(marker: Buffer): void {
    this.#marker = marker;
    this.#state = 'waiting';
    this.#began = false;
    this.#held = Buffer.alloc(0);
  }

  /** Takes the stream's next bytes and returns those of the run; empty when there are none. */
  push(chunk: Buffer): Buffer {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    if (this.#state === 'waiting') {
      const start = rest.indexOf(this.#marker);
      if (start < 0) {
        this.#held = this.#partialMarker(rest);
        return Buffer.alloc(0);
      }
      this.#state = 'open';
      this.#began = true;
      rest = rest.subarray(start + this.#marker.length);
    }
    if (this.#state === 'closed') return Buffer.alloc(0);
    const end = rest.indexOf(this.#marker);
    if (end >= 0) {
      this.#state = 'closed';
      return rest.subarray(0, end);
    }
    this.#held = this.#partialMarker(rest);
    return rest.subarray(0, rest.length - this.#held.length);
  }

  /** The bytes held back because a marker might begin with them; the stream has ended. */
  flush(): Buffer {
    const held = this.#state === 'open' ? this.#held : Buffer.alloc(0);
    this.#held = Buffer.alloc(0);
    return held;
  }

  /** The end of `bytes` that may be the beginning of a marker. */
  #partialMarker(bytes: Buffer): Buffer {
    const start = bytes.lastIndexOf(markerByte);
    if (start < 0 || bytes.length - start >= this.#marker.length) return Buffer.alloc(0);
    const tail = bytes.subarray(start);
    const matches = tail.equals(this.#marker.subarray(0, tail.length));
    return matches ? Buffer.from(tail) : Buffer.alloc(0);
  }
}
