import { SandgateError } from '../../error/sandgate-error.ts';
import { grants } from '../scope.ts';
import type { CheckStep } from './check.ts';

export const checkScope: CheckStep = (check) => {
  const { scope } = check.request;
  if (scope === null || grants(check.key?.scopes ?? [], scope)) return null;
  return new SandgateError('scope_missing', `This API key lacks the scope ${scope}`);
};
