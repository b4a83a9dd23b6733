import { SandgateError } from '../../error/sandgate-error.ts';
import { naturalParent } from '../natural-parent.ts';
import { grants } from '../scope.ts';
import type { CheckStep } from './check.ts';

export const checkScope: CheckStep = (check) => {
  const { scope, ownChildren } = check.request;
  const granted = check.key?.scopes ?? [];
  if (scope === null || grants(granted, scope)) return null;
  if (ownChildren && naturalParent(check.key) !== null && grants(granted, 'key:mint')) return null;
  return new SandgateError('scope_missing', `This API key lacks the scope ${scope}`);
};
