import { hkdfSync } from 'node:crypto';
import type { ServerKey } from './key-digest.ts';

/**
 * A secret of its own for one purpose, made of the server key with HKDF-SHA256 (RFC 5869), so that
 * it need not be stored anywhere. Two purposes give secrets that say nothing about each other.
 * @returns 32 bytes
 */
export function deriveSecret(serverKey: ServerKey, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', serverKey.secret, '', `sandgate ${purpose}`, 32));
}
