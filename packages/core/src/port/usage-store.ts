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
   * Stores what began and what ended in one transaction, committed when this resolves. What began
   * accepted adds to the usage count of its key, and moves its last use. An end counts once: a second
   * one of the same row, and one of a row that was pruned, are passed over. Durations are kept to the
   * microsecond; that of a request under way is 0.
   * @returns the ids of `begun`, in their order
   */
  write(batch: UsageBatch): Promise<readonly number[]>;
  /**
   * Times of the accepted calls of a key and of all its descendants since `sinceMs`, oldest first, of
   * the newest `most` calls.
   */
  acceptedTimes(keyNumber: number, sinceMs: number, most: number): Promise<readonly number[]>;
  /** Newest first. Yields to other work while it looks through many rows. */
  list(
    filter: UsageFilter,
    page: { readonly limit: number; readonly beforeId?: number },
  ): Promise<UsagePage>;
  /** Over everything ever recorded, pruned rows included. Absent workspace: all of them. */
  total(workspaceId?: string): Promise<UsageSummary>;
  /**
   * By endpoint and hour or day, oldest first, over everything ever recorded. Hours and days are
   * whole: the first one holds `fromMs`, the last one what is just before `toMs`.
   */
  summarize(
    filter: Pick<UsageFilter, 'workspaceId' | 'keyNumber' | 'fromMs' | 'toMs'>,
    by: 'hour' | 'day',
  ): Promise<readonly UsageBucket[]>;
  /**
   * Adds up to `mostRows` rows to the roll-ups, each once, in the order of their ids; fewer when they
   * are of many keys, which makes each of them dearer. A request that
   * has not ended counts as a call without success or duration until its end is written. Short, so
   * that requests go on beside it.
   * @returns whether more are waiting
   */
  rollUp(mostRows: number): Promise<boolean>;
  /**
   * Removes up to `mostRows` rolled-up rows older than `beforeMs`, fewer when they are of many keys,
   * and never the newest row. Sums and usage counts stay.
   * @returns whether more are left
   */
  prune(beforeMs: number, mostRows: number): Promise<boolean>;
}
