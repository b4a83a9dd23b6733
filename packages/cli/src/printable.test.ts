import { expect, it } from 'vitest';
import { printable, printableInLine } from './printable.ts';

it.each([
  ['plain\ttext, ümlaut 🙂\n', 'plain\ttext, ümlaut 🙂\n'],
  ['\u001b[1;31mred\u001b[0m', '\u001b[1;31mred\u001b[0m'],
  ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
  ['\u001b]52;c;aGk=\u001b\\', '\\x1b]52;c;aGk=\\x1b\\'],
  ['\u001b[2J\u001b[H', '\\x1b[2J\\x1b[H'],
  ['safe\rfake', 'safe\\x0dfake'],
  ['\u009b2J', '\\x9b2J'],
  ['\u0007[31m', '\\x07[31m'],
  ['a\u202eb', 'a\\u202eb'],
])('shows %j as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

it('spells out colours and line ends too where a text stands among others', () => {
  expect(printableInLine('a\u001b[31mb\nc\td\u202eé')).toBe('a\\x1b[31mb\\x0ac\\x09d\\u202eé');
});
