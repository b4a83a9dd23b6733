/** Which part of a list is wanted. Lists of this kind run from the newest to the oldest. */
export interface PageRequest {
  /** At least 1. */
  readonly limit: number;
  /** Skips so many. Slow when it is large, unlike `afterId`, and rows skip when the list changes. */
  readonly offset?: number;
  /** Id of the last entry of the page before: what follows it, whatever was added or removed since. */
  readonly afterId?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** How many there are on all pages. */
  readonly total: number;
  /** Give it as `afterId` for the next page; null on the last one. */
  readonly nextAfterId: string | null;
}
