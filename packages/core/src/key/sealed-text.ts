import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Randomness } from '../port/randomness.ts';
import { deriveSecret } from './derive-secret.ts';
import type { ServerKey } from './key-digest.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** What a sealed text is for. It opens for nothing else. */
export interface SealPurpose {
  readonly serverKey: ServerKey;
  /** Chooses the secret, which is made of the server key. */
  readonly purpose: string;
  /** Bound to the text, so that two sealed texts cannot be swapped. */
  readonly about: string;
}

/** AES-256-GCM: nonce, tag, ciphertext. */
export function sealText(text: string, to: SealPurpose, randomness: Randomness): Buffer {
  const nonce = randomness.bytes(nonceBytes);
  const sealing = createCipheriv(cipher, deriveSecret(to.serverKey, to.purpose), nonce);
  sealing.setAAD(Buffer.from(to.about));
  const body = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()]);
  return Buffer.concat([nonce, sealing.getAuthTag(), body]);
}

/** Throws for what was not sealed like this, or was changed. */
export function openSealedText(sealed: Uint8Array, to: SealPurpose): string {
  const bytes = Buffer.from(sealed);
  if (bytes.length < nonceBytes + tagBytes) throw new Error('This is no sealed text.');
  const secret = deriveSecret(to.serverKey, to.purpose);
  const opening = createDecipheriv(cipher, secret, bytes.subarray(0, nonceBytes));
  opening.setAAD(Buffer.from(to.about));
  opening.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const body = bytes.subarray(nonceBytes + tagBytes);
  return Buffer.concat([opening.update(body), opening.final()]).toString('utf8');
}
