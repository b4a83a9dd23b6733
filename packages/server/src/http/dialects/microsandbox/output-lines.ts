import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '@sandgate/core';

export interface OutputLine {
  readonly stream: OutputChunk['stream'];
  readonly text: string;
}

/** More output than this is cut, and the answer says so. */
export const maxOutputBytes = 4 * 1024 * 1024;
/** In the answer each line, however short, costs another 30 bytes, and all are put together in one go. */
export const maxOutputLines = 200_000;

class StreamLines {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** Whole lines in a piece of output, without their ends. */
  push(data: Buffer): readonly string[] {
    const lines = (this.#rest + this.#decoder.write(data)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  /** What is left without a line end. */
  flush(): readonly string[] {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
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
  #bytes = 0;
  #cut: string | null = null;

  readonly push = ({ stream, data }: OutputChunk): void => {
    if (this.#lines.length >= maxOutputLines) {
      this.#cut ??= `${maxOutputLines} lines`;
      return;
    }
    const room = maxOutputBytes - this.#bytes;
    if (data.byteLength > room) this.#cut = `${maxOutputBytes} bytes`;
    const kept = data.subarray(0, Math.max(room, 0));
    this.#bytes += kept.byteLength;
    this.#add(stream, this.#streams[stream].push(kept));
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

  #add(stream: OutputLine['stream'], texts: readonly string[]): void {
    const room = maxOutputLines - this.#lines.length;
    for (const text of texts.slice(0, room)) this.#lines.push({ stream, text });
    if (texts.length > room) this.#cut = `${maxOutputLines} lines`;
  }
}
