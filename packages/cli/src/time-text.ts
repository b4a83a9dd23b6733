/** RFC 3339 in UTC, or what to say when there is no such time. */
export function timeText(timeMs: number | null, absent = 'never'): string {
  return timeMs === null ? absent : new Date(timeMs).toISOString();
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units, as in `3d 4h`. */
export function elapsedText(elapsedMs: number): string {
  let rest = Math.max(0, elapsedMs);
  const parts: string[] = [];
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
