import type { ApiKey } from '../key/api-key.ts';
import type { LimitAccount } from '../port/counters.ts';
import { limitWindows, type RequestLimits } from './request-limits.ts';

/** What a call of a key counts against: each of the key and its ancestors that has limits. */
export function limitAccounts(
  lineage: readonly ApiKey[],
  limitsOf: (key: ApiKey) => RequestLimits,
): readonly LimitAccount[] {
  const accounts: LimitAccount[] = [];
  for (const key of lineage) {
    const windows = limitWindows(limitsOf(key));
    if (windows.length > 0) accounts.push({ keyNumber: key.number, windows });
  }
  return accounts;
}
