import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunOutputSplitter, runMarker } from './run-output-splitter.ts';

const marker = runMarker('abcabd');

test('a run has exactly the bytes between its markers, wherever chunks are cut', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constant(Uint8Array.of(0xff, 97, 98, 99)),
  );
  const cuts = fc.array(fc.nat(60), { maxLength: 12 });
  fc.assert(
    fc.property(bytes, bytes, bytes, cuts, (before, inside, after, cutAt) => {
      const splitter = new RunOutputSplitter();
      splitter.expect(marker);
      const stream = Buffer.concat([before, marker, inside, marker, after]);
      const edges = [0, ...cutAt.filter((cut) => cut < stream.length), stream.length].sort(
        (a, b) => a - b,
      );
      const output = edges
        .slice(1)
        .map((end, index) => splitter.push(stream.subarray(edges[index], end)));
      expect(Buffer.concat(output).equals(Buffer.from(inside))).toBe(true);
      expect(splitter.ended).toBe(true);
    }),
  );
});

test('text is passed on at once, and a beginning of a marker when the stream ends', () => {
  const splitter = new RunOutputSplitter();
  splitter.expect(marker);
  splitter.push(marker);
  expect(splitter.push(Buffer.from('abcab')).toString()).toBe('abcab');
  expect(splitter.push(Buffer.of(0xff, 97))).toHaveLength(0);
  expect([...splitter.flush()]).toEqual([0xff, 97]);
});

test('what arrives outside a run is dropped', () => {
  const splitter = new RunOutputSplitter();
  expect(splitter.push(Buffer.from('stray'))).toHaveLength(0);
  expect(splitter.begun).toBe(false);
});
