import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';

/** RFC 5321, 4.5.3.1: a path has 256 octets at most, two of them angle brackets. */
const maxCharacters = 254;

/** One `@`, something on both sides, no white space and no control characters. Mail proves the rest. */
const form = /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u;

/**
 * One spelling for each account: without white space around it, in lower case, composed. Whoever
 * types an address in another case means the same mailbox, and two accounts for it would be a trap.
 */
export const normalizeEmail = (text: string): string => text.trim().normalize('NFC').toLowerCase();

/** @throws SandgateError `invalid_request` */
export function requireEmail(text: string): string {
  const email = normalizeEmail(text);
  const fits = form.test(email) && email.length <= maxCharacters && !keyPattern.test(email);
  if (fits) return email;
  throw new SandgateError('invalid_request', 'email: is no e-mail address, as in you@example.com');
}
