import { parseDuration } from '@sandgate/core';
import { InvalidArgumentError } from 'commander';

export const timeForms = '2027-01-31, 2027-01-31T12:00:00Z or 24h ago';

const isoForm = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Reads a time as epoch milliseconds, for commander. A day begins at midnight UTC. */
export function timeOption(text: string): number {
  // A bare number could as well be a year.
  const ago = /^([0-9]+[a-z]+)( ago)?$/.exec(text.trim())?.[1];
  const back = ago === undefined ? null : parseDuration(ago);
  if (back?.ok) return Date.now() - back.durationMs;
  const timeMs = isoForm.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new InvalidArgumentError(`"${text}" is not a time. Use one of: ${timeForms}`);
}
