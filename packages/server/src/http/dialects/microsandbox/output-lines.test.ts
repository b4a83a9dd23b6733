import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputBudget } from '../../output-budget.ts';
import { maxOutputBytes, maxOutputLines, OutputLines } from './output-lines.ts';

const unbounded = { take: () => true };
const free = { turn: () => Promise.resolve() };

const lines = (...chunks: readonly (readonly ['stdout' | 'stderr', string | Buffer])[]) => {
  const output = new OutputLines(unbounded, free);
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

  it('holds a line in pieces, however small, without going over it again', () => {
    const output = new OutputLines(unbounded, free);
    const piece = Buffer.from('x');
    const startedMs = performance.now();
    for (let written = 0; written < 2_000_000; written += 1) {
      output.push({ stream: 'stdout', data: piece });
    }
    expect(output.finish()[0]?.text.length).toBe(2_000_000);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('holds back what comes in many pieces, and all that comes after the cut', () => {
    let turns = 0;
    const counted = {
      turn: async () => {
        turns += 1;
      },
    };
    const output = new OutputLines(unbounded, counted);
    const push = (data: string) => output.push({ stream: 'stdout', data: Buffer.from(data) });
    for (let piece = 0; piece < 256; piece += 1) expect(push('x')).toBeUndefined();
    expect(push('x')).toBeInstanceOf(Promise);
    const other = new OutputLines(unbounded, counted);
    other.push({ stream: 'stdout', data: Buffer.alloc(maxOutputBytes + 1, 'x') });
    expect(turns).toBe(2);
  });

  it('cuts what the answers may not hold any more, lines and bytes, and says so', () => {
    const budget = new OutputBudget(1_000);
    const allowance = budget.open(500, 'a');
    const output = new OutputLines(allowance, free);
    output.push({ stream: 'stdout', data: Buffer.from('a\nb\n') });
    output.push({ stream: 'stdout', data: Buffer.alloc(400, '\n') });
    const result = output.finish();
    expect(result.slice(0, 2)).toEqual(['a', 'b'].map((text) => ({ stream: 'stdout', text })));
    expect(result.at(-1)?.text).toMatch(/^Output was cut after .*as they may$/);
    expect(allowance.takenBytes).toBeLessThanOrEqual(500);
    allowance.release();
    expect(budget.takenBytes).toBe(0);
  });
});
