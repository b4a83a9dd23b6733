const lineEnd = 10;

/** Where the last so many lines begin. A line that has no end yet counts. */
export function startOfLast(bytes: Buffer, lines: number): number {
  if (lines === 0) return bytes.length;
  let at = bytes.at(-1) === lineEnd ? bytes.length - 1 : bytes.length;
  for (let left = lines; left > 0; left -= 1) {
    at = at === 0 ? -1 : bytes.lastIndexOf(lineEnd, at - 1);
    if (at < 0) return 0;
  }
  return at + 1;
}
