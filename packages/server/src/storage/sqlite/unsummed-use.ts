import { sql } from 'kysely';
import type { UsageTail } from './usage-tail.ts';

/** Selected beside the columns of `api_keys`: up to which row of usage their sums go. */
export const rolledUpTo = sql<number>`(select rolled_up_to from usage_progress)`.as('rolled_up_to');

/** Use of a key that its row does not hold yet. */
export interface UnsummedUse {
  readonly calls: number;
  readonly lastUsedAtMs: number | null;
}

/**
 * The accepted requests that no roll-up has added to a key's row yet. Requests do not add to it
 * themselves, since that would be a page to write for each of them. Exact when the tail was refreshed
 * before the row was read.
 */
export function unsummedUse(
  tail: UsageTail,
  { number, rolled_up_to }: { readonly number: number; readonly rolled_up_to: number },
): UnsummedUse {
  const times = tail
    .rowsOf(number, rolled_up_to)
    .filter(({ accepted }) => accepted)
    .map(({ atMs }) => atMs);
  const lastUsedAtMs =
    times.length === 0 ? null : times.reduce((one, other) => Math.max(one, other));
  return { calls: times.length, lastUsedAtMs };
}
