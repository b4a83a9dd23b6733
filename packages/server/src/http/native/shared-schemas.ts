import { keyPattern, parseDuration } from '@sandgate/core';
import { z } from 'zod';

/** ISO 8601, UTC, whole seconds, as documented. */
export const time = z.iso.datetime();
export const nullableTime = time.nullable();

export const toTime = (timeMs: number): string =>
  `${new Date(timeMs).toISOString().slice(0, -'.000Z'.length)}Z`;
export const toNullableTime = (timeMs: number | null): string | null =>
  timeMs === null ? null : toTime(timeMs);
/** Seconds with a fraction, to the microsecond. */
export const toSeconds = (durationMs: number): number => Math.round(durationMs * 1_000) / 1_000_000;

export const workspaceName = z
  .string()
  .min(1)
  .max(63)
  .meta({ description: 'Slug, UUID or id of a workspace. Must agree with X-Workspace-Id' });

/** Empty for what is nested so deeply that it cannot be written. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '';
  }
}

/** What is stored and shown must not be the key that somebody meant for a header. */
export const holdsNoKey = (value: unknown): boolean => !keyPattern.test(jsonText(value));
export const heldKey = {
  error: 'holds an API key, which is stored nowhere. If it is real, revoke it',
};

/** What names a thing that a request is about. Its form is not looked at: what is not there is not found. */
export const reference = (description: string) =>
  z.string().min(1).max(63).refine(holdsNoKey, heldKey).meta({ description });

/** A whole number out of a query string. */
export const queryNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** A value of a query string that is written as JSON. */
export const jsonField = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
export const queryFlag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** An instant of a query string, in milliseconds. */
export const queryTime = z.iso
  .datetime({ offset: true, error: 'is not a time, as in 2027-01-31T12:00:00Z' })
  .transform((text) => Date.parse(text));

/** A duration as text, read as milliseconds. */
export const duration = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseDuration(text);
    if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.problem });
  })
  .transform((text) => {
    const parsed = parseDuration(text);
    return parsed.ok ? parsed.durationMs : 0;
  })
  .meta({ description: '30s, 15m, 24h, 7d, 2w, 3mo or 1y; a bare number is hours' });
