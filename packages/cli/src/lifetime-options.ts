import { durationOption } from './duration-option.ts';

/** A duration as the API reads it, checked here so that a mistake is one of usage; or `never`. */
export function expiryText(text: string): string {
  if (text !== 'never') durationOption(text);
  return text;
}

/** The same, as a field of a request. */
export const durationField = (text: string): string | null => (text === 'never' ? null : text);
