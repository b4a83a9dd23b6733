import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OutputRing } from './process-output.ts';

const readAll = (ring: OutputRing, fromByte: number): { at: number; text: string } => {
  let at = fromByte;
  let begin: number | null = null;
  let text = '';
  for (;;) {
    const piece = ring.read(at);
    if (piece === null) return { at: begin ?? at, text };
    begin ??= piece.fromByte;
    expect(piece.fromByte).toBe(text === '' ? begin : at);
    text += piece.data.toString('latin1');
    at = piece.fromByte + piece.data.byteLength;
  }
};

it('gives from any byte on exactly what was written and is kept, and keeps no more than its bound', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.string({ minLength: 0, maxLength: 30, unit: fc.constantFrom('a', 'b', 'c') })),
      fc.nat(200),
      (maxBytes, pieces, fromByte) => {
        const ring = new OutputRing(maxBytes);
        for (const [index, piece] of pieces.entries()) {
          ring.append(index % 2 === 0 ? 'stdout' : 'stderr', Buffer.from(piece));
        }
        const all = pieces.join('');
        expect(ring.toByte).toBe(all.length);
        expect(ring.fromByte).toBe(Math.max(0, all.length - maxBytes));
        const begin = Math.min(Math.max(fromByte, ring.fromByte), Math.max(fromByte, all.length));
        const { text } = readAll(ring, fromByte);
        expect(text).toBe(all.slice(begin));
      },
    ),
  );
});

it('takes no more memory for a program that writes byte by byte to both streams in turn', () => {
  const ring = new OutputRing(1_048_576);
  const before = process.memoryUsage();
  const data = Buffer.from('x');
  for (let byte = 0; byte < 1_048_576; byte += 1) {
    ring.append(byte % 2 === 0 ? 'stdout' : 'stderr', data);
  }
  const after = process.memoryUsage();
  const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(grownBytes).toBeLessThan(64 * 1_048_576);
  expect(ring.read(1_048_575)).toMatchObject({ stream: 'stderr', fromByte: 1_048_575 });
});
