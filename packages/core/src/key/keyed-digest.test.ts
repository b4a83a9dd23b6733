import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyedDigest } from './keyed-digest.ts';

describe('a keyed digest', () => {
  it.each([0, 1, 32, 63, 64, 65, 200])('is HMAC-SHA256 under a key of %i bytes', (length) => {
    const secret = randomBytes(length);
    const digest = createKeyedDigest(secret);
    for (const text of [
      '',
      'a',
      'ä€😀',
      'x'.repeat(51),
      'x'.repeat(64),
      'é'.repeat(33),
      'x'.repeat(999),
    ]) {
      const expected = createHmac('sha256', secret).update(text).digest('hex');
      expect(digest(text).toString('hex')).toBe(expected);
    }
  });
});
