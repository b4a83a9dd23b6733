import { expect, it } from 'vitest';
import { RememberedReads } from './remembered-reads.ts';

it('keeps what was read until something is committed', () => {
  const connection = { version: 1 };
  const reads = new RememberedReads<number>(connection);
  expect(reads.get('a')).toBeUndefined();
  reads.keep('a', 1);
  expect(reads.get('a')).toBe(1);
  reads.drop('a');
  expect(reads.get('a')).toBeUndefined();
  reads.keep('a', 2);
  connection.version = 2;
  expect(reads.get('a')).toBeUndefined();
});

it('forgets what it has kept for longest when there is too much', () => {
  const reads = new RememberedReads<number>({ version: 1 });
  reads.get('0');
  for (let index = 0; index <= 50_000; index += 1) reads.keep(String(index), index);
  expect(reads.get('0')).toBeUndefined();
  expect(reads.get('1')).toBe(1);
  expect(reads.get('50000')).toBe(50_000);
});
