import type { ApiKey } from '@sandgate/core';
import type { BrimbleContext } from '../brimble-route.ts';
import { toTime, toTimeOrNull } from '../time-text.ts';

/** What is shown of a key at any time. Its text is not kept. */
export const keyObject = (key: ApiKey, { limitsOf, workspace }: BrimbleContext) => ({
  id: key.id,
  prefix: key.prefix,
  last_four: key.lastFour,
  created_at: toTime(key.createdAtMs),
  last_used_at: toTimeOrNull(key.lastUsedAtMs),
  /** Requests in any 24 hours. Null: as many as it likes. */
  quota: limitsOf(key, workspace).quota24h,
});
