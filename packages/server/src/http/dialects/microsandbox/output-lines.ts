import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '@sandgate/core';
import type { OutputAllowance } from '../../output-budget.ts';
import type { OutputPace } from '../../output-pace.ts';

export interface OutputLine {
  readonly stream: OutputChunk['stream'];
  readonly text: string;
}

/** More output than this is cut, and the answer says so. */
export const maxOutputBytes = 4 * 1024 * 1024;
/** In the answer each line, however short, costs another 30 bytes, and all are put together in one go. */
export const maxOutputLines = 200_000;
/** What a line takes in memory beside its bytes. */
const lineCostBytes = 64;
/** Pieces that a call may write before it is held back. */
const freePieces = 256;

class StreamLines {
  readonly #decoder = new StringDecoder('utf8');
  /** The line that has no end yet. */
  #pieces: string[] = [];

  /** Whole lines in a piece of output, without their ends. */
  push(data: Buffer): readonly string[] {
    const text = this.#decoder.write(data);
    if (!text.includes('\n')) {
      if (text !== '') this.#pieces.push(text);
      return [];
    }
    const lines = text.split('\n');
    lines[0] = this.#pieces.join('') + (lines[0] ?? '');
    const rest = lines.pop() ?? '';
    this.#pieces = rest === '' ? [] : [rest];
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  /** What is left without a line end. */
  flush(): readonly string[] {
    const rest = this.#pieces.join('') + this.#decoder.end();
    this.#pieces = [];
    return rest === '' ? [] : [rest];
  }
}

/**
 * Collects output as the wire wants it: one `{stream, text}` a line, in the order of arrival.
 * Bytes that are not UTF-8 become U+FFFD.
 */
export class OutputLines {
  readonly #streams = { stdout: new StreamLines(), stderr: new StreamLines() };
  readonly #lines: OutputLine[] = [];
  readonly #allowance: Pick<OutputAllowance, 'take'>;
  readonly #pace: Pick<OutputPace, 'turn'>;
  #bytes = 0;
  #pieces = 0;
  #cut: string | null = null;

  constructor(allowance: Pick<OutputAllowance, 'take'>, pace: Pick<OutputPace, 'turn'>) {
    this.#allowance = allowance;
    this.#pace = pace;
  }

  /** Takes a piece. A promise holds back the next one. */
  readonly push = (chunk: OutputChunk): void | Promise<void> => {
    this.#pieces += 1;
    if (this.#cut === null) this.#keep(chunk);
    if (this.#cut !== null || this.#pieces > freePieces) return this.#pace.turn();
  };

  /** All lines. Called once, at the end. */
  finish(): readonly OutputLine[] {
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#add(stream, this.#streams[stream].flush());
    }
    if (this.#cut !== null) {
      this.#lines.push({ stream: 'stderr', text: `Output was cut after ${this.#cut}` });
    }
    return this.#lines;
  }

  #keep({ stream, data }: OutputChunk): void {
    const kept = data.subarray(0, maxOutputBytes - this.#bytes);
    if (!this.#allowance.take(kept.byteLength)) {
      this.#cut = `${this.#bytes} bytes: the answers hold as much output as they may`;
      return;
    }
    this.#bytes += kept.byteLength;
    this.#add(stream, this.#streams[stream].push(kept));
    if (kept.byteLength < data.byteLength) this.#cut = `${maxOutputBytes} bytes`;
  }

  #add(stream: OutputLine['stream'], texts: readonly string[]): void {
    const room = maxOutputLines - this.#lines.length;
    const added = texts.slice(0, room);
    if (!this.#allowance.take(added.length * lineCostBytes)) {
      this.#cut ??= `${this.#lines.length} lines: the answers hold as much output as they may`;
      return;
    }
    for (const text of added) this.#lines.push({ stream, text });
    if (texts.length > room) this.#cut = `${maxOutputLines} lines`;
  }
}
