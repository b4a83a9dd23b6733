import { SandgateError } from '../../error/sandgate-error.ts';
import { parseKeyText } from '../key-text.ts';
import type { CheckStep } from './check.ts';

/** One wording for unknown, expired, revoked and mistyped keys, so that strangers learn nothing. */
export const invalidCredential = (): SandgateError =>
  new SandgateError('credential_invalid', 'Invalid or expired API key');

/** Form and checksum: a typo is refused here and never reaches the store. */
export const parseCredential: CheckStep = (check) => {
  const { credential } = check.request;
  if (credential === null) {
    return new SandgateError('credential_missing', 'An API key is required');
  }
  check.parsed = parseKeyText(credential);
  return check.parsed === null ? invalidCredential() : null;
};
