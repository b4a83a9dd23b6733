import { isSummed, type UsageProgress } from './usage-progress.ts';
import type { UsageTail } from './usage-tail.ts';

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
  row: UsageProgress & { readonly number: number },
): UnsummedUse {
  const times = tail
    .rowsOf(row.number, row.rolled_up_to)
    .filter(({ accepted, id }) => accepted && !isSummed(row, row.number, id))
    .map(({ atMs }) => atMs);
  const lastUsedAtMs =
    times.length === 0 ? null : times.reduce((one, other) => Math.max(one, other));
  return { calls: times.length, lastUsedAtMs };
}
