import { expect, it } from 'vitest';
import { startOfLast } from './last-lines.ts';

const last = (text: string, lines: number): string =>
  Buffer.from(text)
    .subarray(startOfLast(Buffer.from(text), lines))
    .toString();

it.each([
  ['one\ntwo\nthree\n', 0, ''],
  ['one\ntwo\nthree\n', 1, 'three\n'],
  ['one\ntwo\nthree\n', 2, 'two\nthree\n'],
  ['one\ntwo\nthree\n', 9, 'one\ntwo\nthree\n'],
  ['one\ntwo', 1, 'two'],
  ['one\n\n\n', 2, '\n\n'],
  ['\none', 2, '\none'],
  ['', 3, ''],
])('of %j, the last %i lines are %j', (text, lines, expected) => {
  expect(last(text, lines)).toBe(expected);
});
