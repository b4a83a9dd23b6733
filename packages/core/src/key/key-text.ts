import { crc32 } from 'node:zlib';
import type { Randomness } from '../port/randomness.ts';

/** Which door a key was made for. Any key works at every door that its scopes allow. */
export const keyPrefixes = ['msb_', 'bk_', 'mbx_'] as const;
export type KeyPrefix = (typeof keyPrefixes)[number];

const secretBytes = 20;

/** The published pattern of a key, for secret scanners. */
export const keyPattern = /\b(?:msb|bk|mbx)_[0-9a-f]{48}\b/;

const anyKeys = /(?:msb|bk|mbx)_[0-9a-f]{48}/g;

/** Text for a record or an answer, where somebody may have put a key into the wrong place. */
export const withoutKeys = (text: string): string => text.replaceAll(anyKeys, 'an API key');

const wholeKey = /^(?:msb|bk|mbx)_[0-9a-f]{48}$/;

const checksumLength = 8;

const checksum = (body: string): string => crc32(body).toString(16).padStart(checksumLength, '0');

/** A new key: prefix, 160 random bits in hex, and the CRC32 of what precedes it in hex. */
export function newKeyText(prefix: KeyPrefix, randomness: Randomness): string {
  return keyTextOf(prefix, randomness.bytes(secretBytes));
}

/** The text of the key that has these 160 bits. */
function keyTextOf(prefix: KeyPrefix, secret: Uint8Array): string {
  const body = prefix + Buffer.from(secret).toString('hex');
  return body + checksum(body);
}

/** The key that a longer secret stands for. */
export const keyTextFrom = (prefix: KeyPrefix, secret: Uint8Array): string =>
  keyTextOf(prefix, secret.subarray(0, secretBytes));

export interface ParsedKeyText {
  readonly text: string;
  readonly prefix: KeyPrefix;
  readonly lastFour: string;
}

/** Null for a text that no key can have, a typo included, without any look-up. */
export function parseKeyText(text: string): ParsedKeyText | null {
  if (!wholeKey.test(text)) return null;
  const stated = Number.parseInt(text.slice(-checksumLength), 16);
  if (crc32(text.slice(0, -checksumLength)) !== stated) return null;
  const prefix = text.slice(0, text.indexOf('_') + 1) as KeyPrefix;
  return { text, prefix, lastFour: text.slice(-4) };
}
