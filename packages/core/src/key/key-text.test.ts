import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyPattern, keyPrefixes, newKeyText, parseKeyText, withoutKeys } from './key-text.ts';

const randomness = { bytes: (length: number) => randomBytes(length) };
const prefixes = fc.constantFrom(...keyPrefixes);

describe('the text of a key', () => {
  it('parses to what it was made of, and matches the published pattern', () => {
    fc.assert(
      fc.property(prefixes, (prefix) => {
        const text = newKeyText(prefix, randomness);
        expect(parseKeyText(text)).toEqual({ text, prefix, lastFour: text.slice(-4) });
        expect(keyPattern.exec(`leaked: ${text}.`)?.[0]).toBe(text);
      }),
    );
  });

  it('holds 160 bits of the randomness it was given', () => {
    const text = newKeyText('msb_', { bytes: (length) => new Uint8Array(length).fill(0xab) });
    expect(text.slice(4, 44)).toBe('ab'.repeat(20));
  });

  it('is refused after any change of one character', () => {
    const text = newKeyText('msb_', randomness);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.string({ minLength: 1, maxLength: 1 }),
        (at, other) => {
          fc.pre(text[at] !== other);
          expect(parseKeyText(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is refused with anything before or after it', () => {
    const text = newKeyText('bk_', randomness);
    for (const near of [` ${text}`, `${text}\n`, `${text}0`, text.toUpperCase(), `x${text}`]) {
      expect(parseKeyText(near)).toBeNull();
    }
  });

  it('is never found in arbitrary text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()),
        (text) => {
          expect(parseKeyText(text)).toBeNull();
        },
      ),
    );
  });
});

it('takes keys out of text, wherever they stand in it', () => {
  const key = `msb_${'0a'.repeat(24)}`;
  expect(withoutKeys(`volume:${key} and x${key}${key}`)).toBe(
    'volume:an API key and xan API keyan API key',
  );
  expect(withoutKeys('msb_0a')).toBe('msb_0a');
});
