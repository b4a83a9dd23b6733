import { expect, it } from 'vitest';
import { byteRange } from './byte-range.ts';

it.each([
  ['bytes=0-0', { kind: 'part', fromByte: 0, endByte: 0 }],
  ['bytes=2-5', { kind: 'part', fromByte: 2, endByte: 5 }],
  ['bytes=2-', { kind: 'part', fromByte: 2, endByte: 9 }],
  ['bytes=2-99', { kind: 'part', fromByte: 2, endByte: 9 }],
  ['bytes=-3', { kind: 'part', fromByte: 7, endByte: 9 }],
  ['bytes=-30', { kind: 'part', fromByte: 0, endByte: 9 }],
  ['bytes=10-', { kind: 'unsatisfiable' }],
  ['bytes=-0', { kind: 'unsatisfiable' }],
  ['bytes=5-2', { kind: 'whole' }],
  ['bytes=-', { kind: 'whole' }],
  ['bytes=0-1,3-4', { kind: 'whole' }],
  ['lines=0-1', { kind: 'whole' }],
  [null, { kind: 'whole' }],
])('%s of ten bytes', (header, expected) => {
  expect(byteRange(header, 10)).toEqual(expected);
});

it('has no part of an empty file', () => {
  expect(byteRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
});
