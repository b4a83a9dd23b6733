import type { LimitDecision, LimitWindow, WindowState } from '../limit/limit-window.ts';
import type { Awaitable } from './awaitable.ts';

/** The limits of one key that a call counts against: the caller's own, or an ancestor's. */
export interface LimitAccount {
  /** Stands for the key's lineage: a rotation keeps it, and so never resets a counter. */
  readonly keyNumber: number;
  /** At least one. */
  readonly windows: readonly LimitWindow[];
}

/** When a call was charged, and to which keys. */
export interface Charged {
  readonly atMs: number;
  readonly keyNumbers: readonly number[];
}

/** Decides in one atomic step whether a key may make one more call. */
export interface Counters {
  /**
   * Checks all windows of all accounts, and charges every account if none is full. A call is charged
   * to a key and to each of its ancestors that has limits, so that an account counts what a key and
   * its descendants were allowed together. Every accepted call ends in `settle` or `forget`.
   */
  take(
    accounts: readonly LimitAccount[],
    nowMs: number,
  ): Awaitable<{ readonly decision: LimitDecision; readonly states: readonly WindowState[] }>;
  /** How the windows stand, without a charge: of each name the one with the fewest calls left. */
  look(accounts: readonly LimitAccount[], nowMs: number): Promise<readonly WindowState[]>;
  /**
   * Told of each accepted call once its usage row is committed, in the turn of the event loop in
   * which it was: until then the call is known here alone, and from then on to the store.
   */
  settle(charged: Charged): void;
  /**
   * Told instead of an accepted call that was not recorded. What is held of its keys is forgotten: what
   * is stored counts, and what is still in flight.
   */
  forget(charged: Charged): void;
}
