import { createHash } from 'node:crypto';
import { createKeyedDigest } from './keyed-digest.ts';

/** The server's own key: every stored digest depends on it. */
export interface ServerKey {
  readonly version: number;
  readonly secret: Uint8Array;
}

/**
 * What is stored of a key: HMAC-SHA256 under the server key. A key has 160 random bits, so that a
 * slow password hash would add cost and no safety.
 */
export function digestKeyText(serverKey: ServerKey, text: string): Buffer {
  return digestUnder(serverKey)(text);
}

const digests = new WeakMap<ServerKey, ReturnType<typeof createKeyedDigest>>();

function digestUnder(serverKey: ServerKey): ReturnType<typeof createKeyedDigest> {
  const known = digests.get(serverKey);
  if (known !== undefined) return known;
  const made = createKeyedDigest(serverKey.secret);
  digests.set(serverKey, made);
  return made;
}

/** Tells two server keys apart without saying anything about either. */
export function serverKeyFingerprint(secret: Uint8Array): string {
  return createHash('sha256')
    .update('sandgate server key\n')
    .update(secret)
    .digest('hex')
    .slice(0, 16);
}
