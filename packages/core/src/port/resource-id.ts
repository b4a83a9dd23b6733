import type { Clock } from './clock.ts';
import type { Randomness } from './randomness.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** 24 lowercase hex digits: 48 bits of milliseconds, so that ids sort by time, and 48 random bits. */
export function newResourceId(clock: Clock, randomness: Randomness): string {
  return clock.nowMs().toString(16).padStart(12, '0') + hex(randomness.bytes(6));
}

/** Whether a text has that form; any other may be a secret that was put into the wrong place. */
export const isResourceId = (text: string): boolean => /^[0-9a-f]{24}$/.test(text);

/** A random UUID (RFC 9562, version 4). */
export function newUuid(randomness: Randomness): string {
  const bytes = Uint8Array.from(randomness.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const text = hex(bytes);
  return [8, 12, 16, 20, 32]
    .map((end, index, ends) => text.slice(index === 0 ? 0 : ends[index - 1], end))
    .join('-');
}
