import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxOutputBytes, maxOutputLines, OutputLines } from './output-lines.ts';

const lines = (...chunks: readonly (readonly ['stdout' | 'stderr', string | Buffer])[]) => {
  const output = new OutputLines();
  for (const [stream, data] of chunks) output.push({ stream, data: Buffer.from(data) });
  return output.finish();
};

describe('output as lines', () => {
  it('drops line ends, keeps empty lines and a last part without an end', () => {
    expect(lines(['stdout', 'a\n\nb\r\nc'])).toEqual(
      ['a', '', 'b', 'c'].map((text) => ({ stream: 'stdout', text })),
    );
  });

  it('keeps the streams apart, in the order in which their lines were complete', () => {
    expect(lines(['stdout', 'a'], ['stderr', 'x\n'], ['stdout', 'b\n'])).toEqual([
      { stream: 'stderr', text: 'x' },
      { stream: 'stdout', text: 'ab' },
    ]);
  });

  it('is the same however the bytes were cut into pieces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(40)), (text, sizes) => {
        const bytes = Buffer.from(text);
        const pieces: ['stdout', Buffer][] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(['stdout', bytes.subarray(at, at + size)]);
          at += size;
        }
        pieces.push(['stdout', bytes.subarray(at)]);
        expect(lines(...pieces)).toEqual(lines(['stdout', bytes]));
      }),
    );
  });

  it('replaces bytes that are no UTF-8, and goes on', () => {
    expect(lines(['stdout', Buffer.from([0x61, 0xff, 0x62, 0x0a, 0x63])])).toEqual([
      { stream: 'stdout', text: 'a\ufffdb' },
      { stream: 'stdout', text: 'c' },
    ]);
  });

  it('cuts what is too long, and says so', () => {
    const result = lines(['stdout', Buffer.alloc(maxOutputBytes + 1, 'x')], ['stdout', 'more\n']);
    expect(result[0]?.text.length).toBe(maxOutputBytes);
    expect(result.at(-1)).toEqual({
      stream: 'stderr',
      text: `Output was cut after ${maxOutputBytes} bytes`,
    });
  });

  it('cuts what has too many lines, however short, and says so', () => {
    const newlines = Buffer.alloc(maxOutputLines / 2 + 1, '\n');
    const result = lines(['stdout', newlines], ['stderr', newlines], ['stdout', newlines]);
    expect(result).toHaveLength(maxOutputLines + 1);
    expect(result.at(-1)).toEqual({
      stream: 'stderr',
      text: `Output was cut after ${maxOutputLines} lines`,
    });
  });
});
