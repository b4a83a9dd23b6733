const unitsMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  mo: 30 * 86_400_000,
  y: 365 * 86_400_000,
};

const form = /^([0-9]{1,15})(s|m|h|d|w|mo|y)?$/;

/** RFC 3339 has years of four digits. From now, this ends long before they do. */
const maxDurationMs = 1_000 * 365 * 86_400_000;

export type DurationResult =
  | { readonly ok: true; readonly durationMs: number }
  | { readonly ok: false; readonly problem: string };

/** Shown in help and errors. */
export const durationForms = '30s, 15m, 24h, 7d, 2w, 3mo, 1y (a bare number is hours)';

/**
 * Reads a duration in the documented units: s m h d w mo y. A month is 30 days and a year 365; a
 * bare number is hours. Zero is refused, as nothing useful lasts no time.
 */
export function parseDuration(text: string): DurationResult {
  const match = form.exec(text.trim());
  const count = Number(match?.[1] ?? Number.NaN);
  const durationMs = count * (unitsMs[match?.[2] ?? 'h'] ?? Number.NaN);
  if (match === null || !Number.isSafeInteger(durationMs)) {
    return { ok: false, problem: `"${text}" is not a duration. Use one of: ${durationForms}` };
  }
  if (durationMs === 0) {
    return { ok: false, problem: `"${text}" is no time at all. Use one of: ${durationForms}` };
  }
  if (durationMs > maxDurationMs) {
    return { ok: false, problem: `"${text}" is too long. The longest is 1000y` };
  }
  return { ok: true, durationMs };
}
