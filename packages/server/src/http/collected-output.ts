import type { OutputChunk } from '@sandgate/core';
import { GatheredBytes } from './gathered-bytes.ts';
import type { OutputAllowance } from './output-budget.ts';
import type { OutputPace } from './output-pace.ts';

/** Pieces that a call may write before it is held back. */
const freePieces = 256;

export interface StreamOutput {
  readonly data: Buffer;
  /** There was more, which was dropped. */
  readonly truncated: boolean;
}

/** What a command writes, up to a bound for each of its streams. */
export class CollectedOutput {
  readonly #streams = {
    stdout: { gathered: new GatheredBytes(), bytes: 0, truncated: false },
    stderr: { gathered: new GatheredBytes(), bytes: 0, truncated: false },
  };
  readonly #maxBytes: number;
  readonly #allowance: Pick<OutputAllowance, 'take'>;
  readonly #pace: Pick<OutputPace, 'turn'>;
  #pieces = 0;

  constructor(
    maxBytes: number,
    allowance: Pick<OutputAllowance, 'take'>,
    pace: Pick<OutputPace, 'turn'>,
  ) {
    this.#maxBytes = maxBytes;
    this.#allowance = allowance;
    this.#pace = pace;
  }

  /** Takes a piece. A promise holds back the next one. */
  readonly push = ({ stream, data }: OutputChunk): void | Promise<void> => {
    const kept = this.#streams[stream];
    const piece = kept.truncated
      ? data.subarray(0, 0)
      : data.subarray(0, this.#maxBytes - kept.bytes);
    if (this.#allowance.take(piece.byteLength)) {
      // A copy: the piece may be a small part of memory that would be held with it.
      if (piece.byteLength > 0) kept.gathered.add(Buffer.from(piece));
      kept.bytes += piece.byteLength;
      kept.truncated ||= piece.byteLength < data.byteLength;
    } else {
      kept.truncated = true;
    }
    this.#pieces += 1;
    if (kept.truncated || this.#pieces > freePieces) return this.#pace.turn();
  };

  stream(name: OutputChunk['stream']): StreamOutput {
    const { gathered, truncated } = this.#streams[name];
    return { data: gathered.whole(), truncated };
  }
}
