import { expect, it } from 'vitest';
import { wholeCharactersLength } from './whole-characters.ts';

it.each(['plain', 'gr\u00fcn', '10 \u20ac', 'grin \u{1f600}'])(
  'cuts %s only between characters, wherever it ends',
  (text) => {
    const data = Buffer.from(text);
    for (let end = 0; end <= data.byteLength; end += 1) {
      const part = data.subarray(0, wholeCharactersLength(data.subarray(0, end)));
      expect(part.toString()).not.toContain('\ufffd');
      expect(text.startsWith(part.toString())).toBe(true);
      expect(end - part.byteLength).toBeLessThan(4);
    }
    expect(wholeCharactersLength(data)).toBe(data.byteLength);
  },
);

it('waits for nothing that is no UTF-8', () => {
  for (const bytes of [[0xff], [0x80], [0x80, 0x80, 0x80, 0x80], [0xf8, 0x80]]) {
    expect(wholeCharactersLength(Buffer.from(bytes))).toBe(bytes.length);
  }
});
