import { sql } from 'kysely';

/**
 * Which rows the sums hold: all up to `rolled_up_to`. Of those after it and up to `rolling_to`, in the
 * order of their keys and then of their ids, the ones up to the id `rolling_id` of the key
 * `rolling_key`. Where no such stretch is under way, `rolling_to` is 0.
 */
export interface UsageProgress {
  readonly rolled_up_to: number;
  readonly rolling_to: number;
  readonly rolling_key: number;
  readonly rolling_id: number;
}

const columns = ['rolled_up_to', 'rolling_to', 'rolling_key', 'rolling_id'] as const;

export const selectProgress = `select ${columns.join(', ')} from usage_progress`;

/** Selected beside other columns, so that they are read at the same moment. */
export const progressColumns = columns.map((name) =>
  sql<number>`(select ${sql.ref(name)} from usage_progress)`.as(name),
);

/** Of what a query joins `usage_progress` and `usage_rows`: the rows that the sums lack. */
export const isUnsummed = `usage_rows.id > rolled_up_to and (usage_rows.id > rolling_to
  or (usage_rows.key_number, usage_rows.id) > (rolling_key, rolling_id))`;

export function isSummed(progress: UsageProgress, keyNumber: number, id: number): boolean {
  const { rolled_up_to, rolling_to, rolling_key, rolling_id } = progress;
  if (id <= rolled_up_to) return true;
  if (id > rolling_to) return false;
  return keyNumber < rolling_key || (keyNumber === rolling_key && id <= rolling_id);
}
