import { digestKeyText } from '../key-digest.ts';
import type { CheckStep } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

export const digestCredential: CheckStep = (check) => {
  if (check.parsed === null) return invalidCredential();
  check.digest = digestKeyText(check.dependencies.serverKey(), check.parsed.text);
  return null;
};
