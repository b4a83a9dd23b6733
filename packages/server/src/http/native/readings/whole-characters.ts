/**
 * Length of what can be read as UTF-8 by itself: without the beginning of a character whose rest is yet to
 * come. What is no UTF-8 at all is not waited for.
 */
export function wholeCharactersLength(data: Uint8Array): number {
  const earliest = Math.max(0, data.byteLength - 3);
  for (let at = data.byteLength - 1; at >= earliest; at -= 1) {
    const byte = data[at] ?? 0;
    if (byte >= 0b1000_0000 && byte < 0b1100_0000) continue;
    return at + lengthByLead(byte) > data.byteLength ? at : data.byteLength;
  }
  return data.byteLength;
}

/** A first byte begins with as many ones as its character has bytes, and with a zero where it is alone. */
function lengthByLead(byte: number): number {
  const ones = Math.clz32((~byte & 0xff) << 24);
  return ones >= 2 && ones <= 4 ? ones : 1;
}
