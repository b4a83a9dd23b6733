import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';

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
  return createHmac('sha256', keyObjectOf(serverKey)).update(text).digest();
}

const keyObjects = new WeakMap<ServerKey, KeyObject>();

/** To make a key object of raw bytes costs several times what the digest itself does. */
function keyObjectOf(serverKey: ServerKey): KeyObject {
  const known = keyObjects.get(serverKey);
  if (known !== undefined) return known;
  const made = createSecretKey(serverKey.secret);
  keyObjects.set(serverKey, made);
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
