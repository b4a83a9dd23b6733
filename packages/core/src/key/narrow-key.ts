import type { ApiKey } from './api-key.ts';
import { intersectRights } from './key-rights.ts';

/**
 * A key as it may be used: no further than any of its ancestors reaches today, whatever it was given
 * when it was made, and not at all once one of them is dead.
 */
export function narrowKey(key: ApiKey, ancestors: readonly ApiKey[]): ApiKey {
  let narrowed = key;
  for (const ancestor of ancestors) {
    narrowed = {
      ...narrowed,
      ...intersectRights(narrowed, ancestor),
      enabled: narrowed.enabled && ancestor.enabled,
      revokedAtMs: narrowed.revokedAtMs ?? ancestor.revokedAtMs,
    };
  }
  return narrowed;
}
