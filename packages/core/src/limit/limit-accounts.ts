import type { ApiKey } from '../key/api-key.ts';
import type { LimitAccount } from '../port/counters.ts';
import { limitWindows, type RequestLimits } from './request-limits.ts';

/** What a call of a key counts against: each of the key and its ancestors that has limits. */
export function limitAccounts(
  lineage: readonly ApiKey[],
  limitsOf: (key: ApiKey) => RequestLimits,
): readonly LimitAccount[] {
  return lineage.flatMap((key) => {
    const windows = limitWindows(limitsOf(key));
    return windows.length === 0 ? [] : [{ keyNumber: key.number, windows }];
  });
}
