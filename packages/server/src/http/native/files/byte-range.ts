export type ByteRange =
  | { readonly kind: 'whole' }
  /** `endByte` is the last one. */
  | { readonly kind: 'part'; readonly fromByte: number; readonly endByte: number }
  | { readonly kind: 'unsatisfiable' };

/**
 * The part of a file that a `Range` header asks for (RFC 9110, 14.2). What is malformed, has another unit
 * or asks for several parts is passed over, and the whole file answered, as the RFC allows.
 */
export function byteRange(header: string | null, sizeBytes: number): ByteRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return { kind: 'whole' };
  const lastByte = sizeBytes - 1;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    if (length === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', fromByte: sizeBytes - length, endByte: lastByte };
  }
  const fromByte = Number(first);
  const endByte = last === '' ? lastByte : Math.min(Number(last), lastByte);
  if (last !== '' && Number(last) < fromByte) return { kind: 'whole' };
  if (fromByte > lastByte) return { kind: 'unsatisfiable' };
  return { kind: 'part', fromByte, endByte };
}
