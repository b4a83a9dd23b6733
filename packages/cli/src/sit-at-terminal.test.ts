import { expect, it } from 'vitest';
import { leaveWatch } from './sit-at-terminal.ts';

const leaves = (...pieces: readonly string[]): boolean => {
  const asksToLeave = leaveWatch();
  return pieces.some((piece) => asksToLeave(Buffer.from(piece)));
};

it.each([
  [['\x1d\x1d'], true],
  [['ls\r\x1d', '\x1d'], true],
  [['\x1d'], false],
  [['\x1d', 'x', '\x1d'], false],
  [['\x1dx\x1d'], false],
])('Ctrl-] twice with nothing between leaves a terminal: %j is %j', (pieces, expected) => {
  expect(leaves(...pieces)).toBe(expected);
});
