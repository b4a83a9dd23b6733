import { expect, it } from 'vitest';
import { openOutput } from './output-writer.ts';

function written(pieces: readonly Buffer[], isTerminal: boolean): string {
  const parts: Buffer[] = [];
  const output = openOutput({
    environment: {},
    currentFolder: '/',
    answersAreShown: isTerminal,
    readSecret: async () => '',
    print: () => {},
    write: (data) => parts.push(Buffer.from(data)),
    note: () => {},
    writeNote: () => {},
  });
  for (const piece of pieces) output.write('stdout', piece);
  output.end();
  return Buffer.concat(parts).toString('latin1');
}

const bytes = Buffer.from('gr\u00fcn \u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b');

it('shows a terminal colours and characters whole, and what else controls it spelled out, wherever it is cut', () => {
  const shown = Buffer.from('gr\u00fcn \u001b[31mred\u001b[0m \\x1b]0;title\\x07 \\x1b');
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(written([bytes.subarray(0, at), bytes.subarray(at)], true)).toBe(
      shown.toString('latin1'),
    );
  }
});

it('passes on every byte to anything else', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  expect(written([all, bytes], false)).toBe(Buffer.concat([all, bytes]).toString('latin1'));
});
