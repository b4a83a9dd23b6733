import { StringDecoder } from 'node:string_decoder';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

export interface OutputWriter {
  write(stream: 'stdout' | 'stderr', data: Uint8Array): void;
  /** What was held back for a rest that never came. */
  end(): void;
}

/** The beginning of a colour that the next piece may complete. */
const begunColour = new RegExp(`${String.fromCodePoint(0x1b)}(?:\\[[0-9;]{0,32})?$`, 'u');

/**
 * Writes what a program writes as it comes: byte for byte to a file or a program, and to a terminal
 * with its control characters shown.
 */
export function openOutput(terminal: Terminal): OutputWriter {
  const stdout = terminal.answersAreShown
    ? shownWriter((text) => terminal.write(text))
    : rawWriter((data) => terminal.write(data));
  const stderr = terminal.notesAreShown
    ? shownWriter((text) => terminal.writeNote(text))
    : rawWriter((data) => terminal.writeNote(data));
  const writers = { stdout, stderr };
  return {
    write: (stream, data) => writers[stream].push(data),
    end() {
      stdout.end();
      stderr.end();
    },
  };
}

const rawWriter = (write: (data: Uint8Array) => void) => ({ push: write, end() {} });

function shownWriter(write: (text: string) => void) {
  const decoder = new StringDecoder('utf8');
  let held = '';
  const show = (text: string, holds: boolean): void => {
    const whole = held + text;
    held = holds ? (begunColour.exec(whole)?.[0] ?? '') : '';
    const shown = whole.slice(0, whole.length - held.length);
    if (shown !== '') write(printable(shown));
  };
  return {
    push: (data: Uint8Array) => show(decoder.write(data), true),
    end: () => show(decoder.end(), false),
  };
}
