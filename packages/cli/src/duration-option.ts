import { durationForms, parseDuration } from '@sandgate/core';
import { InvalidArgumentError } from 'commander';

export { durationForms };

/** Reads an option's duration in milliseconds, for commander. */
export function durationOption(text: string): number {
  const result = parseDuration(text);
  if (result.ok) return result.durationMs;
  throw new InvalidArgumentError(result.problem);
}

/** Reads an option's whole number of at least `min`, for commander. */
export function wholeNumberOption(min: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min) return value;
    throw new InvalidArgumentError(`It must be a whole number of at least ${min}.`);
  };
}
