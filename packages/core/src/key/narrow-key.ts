import type { ApiKey } from './api-key.ts';
import { intersectRights } from './key-rights.ts';

/** A key, its parent, that one's parent, and so on. */
export type Lineage = readonly [ApiKey, ...ApiKey[]];

/** A child as it may be used today, under a parent that was narrowed already. */
const narrow = (key: ApiKey, parent: ApiKey): ApiKey => ({
  ...key,
  ...intersectRights(key, parent),
  enabled: key.enabled && parent.enabled,
  revokedAtMs: key.revokedAtMs ?? parent.revokedAtMs,
});

/**
 * Keys as they may be used: none further than any of its ancestors reaches today, whatever it was
 * given when it was made, and not at all once one of them is dead.
 */
export function narrowLineage([key, parent, ...others]: Lineage): Lineage {
  if (parent === undefined) return [key];
  const narrowed = narrowLineage([parent, ...others]);
  return [narrow(key, narrowed[0]), ...narrowed];
}
