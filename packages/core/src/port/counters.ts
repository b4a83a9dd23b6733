import type { LimitDecision, LimitWindow, WindowState } from '../limit/limit-window.ts';
import type { Awaitable } from './awaitable.ts';

/** The limits of one key that a call counts against: the caller's own, or an ancestor's. */
export interface LimitAccount {
  /** Stands for the key's lineage: a rotation keeps it, and so never resets a counter. */
  readonly keyNumber: number;
  /** At least one. */
  readonly windows: readonly LimitWindow[];
}

/** Decides in one atomic step whether a key may make one more call. */
export interface Counters {
  /**
   * Checks all windows of all accounts, and charges every account if none is full. A call is charged
   * to a key and to each of its ancestors that has limits, so that an account counts what a key and
   * its descendants were allowed together.
   */
  take(
    accounts: readonly LimitAccount[],
    nowMs: number,
  ): Awaitable<{ readonly decision: LimitDecision; readonly states: readonly WindowState[] }>;
  /** How the windows stand, without a charge: of each name the one with the fewest calls left. */
  look(accounts: readonly LimitAccount[], nowMs: number): Promise<readonly WindowState[]>;
  /** Forgets what is held of keys: the store knows better, as after a failed commit. */
  forget(keyNumbers: readonly number[]): void;
}
