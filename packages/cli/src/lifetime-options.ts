import { durationOption } from './duration-option.ts';

/** A duration as the API reads it, checked here so that a mistake is one of usage. */
export function durationText(text: string): string {
  durationOption(text);
  return text;
}

/** The same, or `never`. */
export const expiryText = (text: string): string => (text === 'never' ? text : durationText(text));

/** The latter, as a field of a request. */
export const durationField = (text: string): string | null => (text === 'never' ? null : text);
