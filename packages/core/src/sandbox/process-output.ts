import type { ProcessOutput } from './background-process.ts';

type Stream = ProcessOutput['stream'];

const streams: readonly Stream[] = ['stdout', 'stderr'];
const firstBytes = 4_096;
/** A reader that takes more at once would hold up others. */
const mostReadBytes = 65_536;

/**
 * The newest output of a process, up to a bound, with where each piece stands among all of it. Each byte
 * is kept with its stream, so that a program which writes byte by byte, to both streams in turn, costs
 * no more memory than another.
 */
export class OutputRing {
  readonly #maxBytes: number;
  #data = Buffer.alloc(0);
  /** Of each byte, its place in `streams`. */
  #streamOf = Buffer.alloc(0);
  #toByte = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Where what is kept begins. */
  get fromByte(): number {
    return Math.max(0, this.#toByte - this.#maxBytes);
  }

  /** How much was written. */
  get toByte(): number {
    return this.#toByte;
  }

  append(stream: Stream, data: Buffer): void {
    this.#toByte += data.byteLength;
    this.#grow();
    const size = this.#data.byteLength;
    let rest = data.subarray(-this.#maxBytes);
    while (rest.byteLength > 0) {
      const at = (this.#toByte - rest.byteLength) % size;
      const part = rest.subarray(0, size - at);
      this.#data.set(part, at);
      this.#streamOf.fill(streams.indexOf(stream), at, at + part.byteLength);
      rest = rest.subarray(part.byteLength);
    }
  }

  /** The first piece at or behind a byte. Null: there is none yet. */
  read(fromByte: number): ProcessOutput | null {
    const begin = Math.max(fromByte, this.fromByte);
    if (begin >= this.#toByte) return null;
    const most = Math.min(this.#toByte - begin, mostReadBytes);
    const owners = this.#kept(this.#streamOf, begin, most);
    const owner = owners[0] ?? 0;
    const other = owners.indexOf(1 - owner);
    const data = this.#kept(this.#data, begin, other < 0 ? most : other);
    return { stream: streams[owner] ?? 'stdout', fromByte: begin, data };
  }

  /** A copy, since what is kept is written over. */
  #kept(ring: Buffer, begin: number, length: number): Buffer {
    const at = begin % ring.byteLength;
    const first = ring.subarray(at, at + length);
    return Buffer.concat([first, ring.subarray(0, length - first.byteLength)]);
  }

  /** Until it is as large as it may be, nothing has gone around, and a copy keeps every place. */
  #grow(): void {
    let size = Math.max(this.#data.byteLength, Math.min(firstBytes, this.#maxBytes));
    while (size < Math.min(this.#toByte, this.#maxBytes)) size = Math.min(size * 2, this.#maxBytes);
    if (size === this.#data.byteLength) return;
    this.#data = Buffer.concat([this.#data], size);
    this.#streamOf = Buffer.concat([this.#streamOf], size);
  }
}
