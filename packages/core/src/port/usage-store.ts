import type {
  NewUsageRow,
  UsageBucket,
  UsageEnd,
  UsageFilter,
  UsageRow,
  UsageSummary,
} from '../usage/usage-row.ts';

export interface UsageBatch {
  readonly begun: readonly NewUsageRow[];
  readonly ended: readonly UsageEnd[];
}

export interface UsagePage {
  readonly rows: readonly UsageRow[];
  /** Give it as `beforeId` for the next page; null on the last one. */
  readonly nextBeforeId: number | null;
}

/**
 * Every request of every key. The rows are the limit log of a server that is one node: what is
 * committed here is what counts after a restart.
 */
export interface UsageStore {
  /**
   * Stores what began and what ended in one transaction, committed when this resolves. Adds to the
   * usage counts of the keys, and moves their last use.
   * @returns the ids of `begun`, in their order
   */
  write(batch: UsageBatch): Promise<readonly number[]>;
  /** Times of a key's accepted calls since `sinceMs`, oldest first, of the newest `most` calls. */
  acceptedTimes(keyNumber: number, sinceMs: number, most: number): Promise<readonly number[]>;
  /** Newest first. */
  list(
    filter: UsageFilter,
    page: { readonly limit: number; readonly beforeId?: number },
  ): Promise<UsagePage>;
  /** Over everything ever recorded, pruned rows included. Absent workspace: all of them. */
  total(workspaceId?: string): Promise<UsageSummary>;
  /** By endpoint and hour or day, oldest first, from roll-ups and the rows that they lack. */
  summarize(
    filter: Pick<UsageFilter, 'workspaceId' | 'keyNumber' | 'fromMs' | 'toMs'>,
    by: 'hour' | 'day',
  ): Promise<readonly UsageBucket[]>;
  /**
   * Adds up to `mostRows` rows that have ended to the roll-ups. Short, so that requests go on
   * beside it.
   * @returns whether more are waiting
   */
  rollUp(mostRows: number): Promise<boolean>;
  /** Removes up to `mostRows` rolled-up rows older than `beforeMs`. @returns whether more are left */
  prune(beforeMs: number, mostRows: number): Promise<boolean>;
}
