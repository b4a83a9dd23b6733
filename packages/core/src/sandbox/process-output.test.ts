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
