import type { ProcessOutput } from './background-process.ts';

/** The newest output of a process, up to a bound, with where each piece stands among all of it. */
export class OutputRing {
  readonly #maxBytes: number;
  readonly #pieces: ProcessOutput[] = [];
  #fromByte = 0;
  #toByte = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Where what is kept begins. */
  get fromByte(): number {
    return this.#fromByte;
  }

  /** How much was written. */
  get toByte(): number {
    return this.#toByte;
  }

  append(stream: ProcessOutput['stream'], data: Buffer): void {
    if (data.byteLength === 0) return;
    // A copy: what the engine hands over may be part of a larger buffer that it would keep alive.
    const kept = Buffer.from(data.subarray(-this.#maxBytes));
    this.#toByte += data.byteLength;
    this.#pieces.push({ stream, fromByte: this.#toByte - kept.byteLength, data: kept });
    this.#trim();
  }

  /** The first piece at or behind a byte, cut to begin there. Null: there is none yet. */
  read(fromByte: number): ProcessOutput | null {
    const piece = this.#pieces.find((each) => each.fromByte + each.data.byteLength > fromByte);
    if (piece === undefined) return null;
    const skip = Math.max(0, fromByte - piece.fromByte);
    return { ...piece, fromByte: piece.fromByte + skip, data: piece.data.subarray(skip) };
  }

  #trim(): void {
    const earliest = this.#toByte - this.#maxBytes;
    while ((this.#pieces[0]?.fromByte ?? earliest) < earliest) {
      const [first] = this.#pieces;
      if (first === undefined) return;
      const surplus = earliest - first.fromByte;
      if (surplus >= first.data.byteLength) {
        this.#pieces.shift();
        continue;
      }
      const data = first.data.subarray(surplus);
      this.#pieces[0] = { ...first, fromByte: earliest, data };
    }
    this.#fromByte = this.#pieces[0]?.fromByte ?? this.#toByte;
  }
}
