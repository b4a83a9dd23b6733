import type { OutputChunk } from '@sandgate/core';
import { GatheredBytes } from '../../../gathered-bytes.ts';
import type { OutputAllowance } from '../../../output-budget.ts';
import type { OutputPace } from '../../../output-pace.ts';

/** More output of one command is cut, and the answer says so. */
export const maxOutputBytes = 8 * 1_024 * 1_024;

export interface CollectedOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly isCut: boolean;
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
