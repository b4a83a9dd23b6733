import type { OutputChunk } from '@sandgate/core';
import type { OutputAllowance } from '../../../output-budget.ts';
import type { OutputPace } from '../../../output-pace.ts';

/** More output of one command is cut, and the answer says so. */
export const maxOutputBytes = 8 * 1_024 * 1_024;

export interface CollectedOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly isCut: boolean;
}

/** A shorter piece is copied: by itself it would take a hundred times its size. */
const smallBytes = 4_096;
const gatheredBytes = 16_384;

/** Bytes in few pieces, however short those are in which they come. */
class GatheredBytes {
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

/** Keeps what a command writes, up to a bound. The command goes on beyond it, and is held back. */
export class CommandOutput {
  readonly #kept = { stdout: new GatheredBytes(), stderr: new GatheredBytes() };
  readonly #allowance: Pick<OutputAllowance, 'take'>;
  readonly #pace: Pick<OutputPace, 'turn'>;
  #bytes = 0;
  #cut: OutputChunk['stream'] | null = null;

  constructor(allowance: Pick<OutputAllowance, 'take'>, pace: Pick<OutputPace, 'turn'>) {
    this.#allowance = allowance;
    this.#pace = pace;
  }

  /** Takes a piece. A promise holds back the next one. */
  readonly push = ({ stream, data }: OutputChunk): void | Promise<void> => {
    if (this.#cut !== null) return this.#pace.turn();
    const kept = data.subarray(0, maxOutputBytes - this.#bytes);
    const isTaken = this.#allowance.take(kept.byteLength);
    if (isTaken) {
      this.#bytes += kept.byteLength;
      this.#kept[stream].add(kept);
    }
    if (!isTaken || kept.byteLength < data.byteLength) this.#cut = stream;
  };

  /** Bytes that are not UTF-8 become U+FFFD. */
  finish(): CollectedOutput {
    const text = (stream: OutputChunk['stream']): string => {
      const whole = this.#kept[stream].whole().toString('utf8');
      const note = `\n[output cut: ${this.#bytes} bytes of this command are kept]\n`;
      return this.#cut === stream ? whole + note : whole;
    };
    return { stdout: text('stdout'), stderr: text('stderr'), isCut: this.#cut !== null };
  }
}
