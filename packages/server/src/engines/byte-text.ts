import { isUtf8 } from 'node:buffer';

/**
 * File names and arguments are bytes, and need not be UTF-8. As text, a byte that is no part of a
 * character is the lone surrogate U+DC00 + byte, which no valid text holds (as in Python, PEP 383).
 */
export function decodeBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => isUtf8(bytes.subarray(at, at + size)));
    if (length === undefined || at + length > bytes.length) {
      text += String.fromCharCode(escapeBase + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += bytes.toString('utf8', at, at + length);
      at += length;
    }
  }
  return text;
}

/** The other way round. Any other lone surrogate becomes U+FFFD. */
export function encodeBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const pieces = Array.from(text, (character) => {
    const byte = character.charCodeAt(0) - escapeBase;
    const escaped = character.length === 1 && byte >= 0x80 && byte <= 0xff;
    return escaped ? Buffer.from([byte]) : Buffer.from(character, 'utf8');
  });
  return Buffer.concat(pieces);
}

const escapeBase = 0xdc00;
