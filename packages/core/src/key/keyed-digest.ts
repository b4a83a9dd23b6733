import { createHash, createHmac, hash } from 'node:crypto';

const blockBytes = 64;
const digestBytes = 32;
/** Longer than any key. */
const longestText = 64;

/**
 * HMAC-SHA256 under one key (RFC 2104): `H(key ^ opad, H(key ^ ipad, text))`. Both paddings are made
 * once, and the two hashes are one-shot calls: an `Hmac` object for each text costs three times as
 * much, and as much again to be collected.
 */
export function createKeyedDigest(secret: Uint8Array): (text: string) => Buffer {
  const key =
    secret.byteLength > blockBytes ? createHash('sha256').update(secret).digest() : secret;
  const inner = paddedKey(key, 0x36, longestText);
  const outer = paddedKey(key, 0x5c, digestBytes);
  const views = Array.from({ length: longestText + 1 }, (_, length) =>
    inner.subarray(0, blockBytes + length),
  );
  return (text) => {
    const view = views[Buffer.byteLength(text)];
    if (view === undefined) return createHmac('sha256', secret).update(text).digest();
    inner.write(text, blockBytes);
    outer.write(hash('sha256', view, 'binary'), blockBytes, 'latin1');
    // No text of a key outlives its check.
    inner.fill(0, blockBytes);
    return Buffer.from(hash('sha256', outer, 'binary'), 'latin1');
  };
}

function paddedKey(key: Uint8Array, padding: number, roomBytes: number): Buffer {
  const padded = Buffer.alloc(blockBytes + roomBytes);
  padded.set(key);
  for (let index = 0; index < blockBytes; index += 1)
    padded[index] = (padded[index] ?? 0) ^ padding;
  return padded;
}
