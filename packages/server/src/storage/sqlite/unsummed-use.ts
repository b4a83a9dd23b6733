import { sql } from 'kysely';

/** Use of a key that its row does not hold yet. */
export interface UnsummedUse {
  readonly unsummed_calls: number;
  readonly unsummed_last_used_at_ms: number | null;
}

const rows = sql`from usage_rows
  where usage_rows.key_number = api_keys.number and accepted = 1
    and usage_rows.id > (select rolled_up_to from usage_progress)`;

/**
 * Columns beside those of `api_keys`: the accepted requests that no roll-up has added to a key's row
 * yet. Requests do not add to it themselves, since that would be a page to write for each of them;
 * these few rows are found in the index instead, in the same statement and so exactly.
 */
export const unsummedUse = [
  sql<number>`(select count(*) ${rows})`.as('unsummed_calls'),
  sql<number | null>`(select max(at_ms) ${rows})`.as('unsummed_last_used_at_ms'),
] as const;
