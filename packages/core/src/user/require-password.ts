import { SandgateError } from '../error/sandgate-error.ts';

/** NIST SP 800-63B, 5.1.1.2: eight characters at least, and no rules of composition. */
const fewestCharacters = 8;
/** A longer one costs time to hash and proves no more. */
const mostBytes = 1_024;

/** @throws SandgateError `invalid_request`, which never says the password back */
export function requirePassword(password: string, email: string): string {
  const problem = problemOf(password, email);
  if (problem === null) return password;
  throw new SandgateError('invalid_request', `password: ${problem}`);
}

function problemOf(password: string, email: string): string | null {
  if ([...password].length < fewestCharacters)
    return `needs ${fewestCharacters} characters or more`;
  if (Buffer.byteLength(password) > mostBytes) return `is longer than ${mostBytes} bytes`;
  return password.toLowerCase() === email ? 'must not be the e-mail address' : null;
}
