import { SandgateError } from '../../error/sandgate-error.ts';
import { addressAllowed } from '../address-allow-list.ts';
import type { CheckStep } from './check.ts';

export const checkAddress: CheckStep = (check) => {
  const allowList = check.key?.addressAllowList ?? [];
  if (allowList.length === 0 || addressAllowed(allowList, check.request.address)) return null;
  return new SandgateError('address_not_allowed', 'This API key may not be used from this address');
};
