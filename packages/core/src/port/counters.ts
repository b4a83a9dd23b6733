import type { LimitDecision, LimitWindow, WindowState } from '../limit/limit-window.ts';

/** Decides in one atomic step whether a key may make one more call. */
export interface Counters {
  /**
   * Checks all windows, and charges all of them if none is full.
   * `keyNumber` stands for the key's lineage: a rotation keeps it, and so never resets a counter.
   */
  take(
    keyNumber: number,
    windows: readonly LimitWindow[],
    nowMs: number,
  ): Promise<
    LimitDecision & {
      readonly states: readonly WindowState[];
      /** What an accepted call was charged as: `nowMs`, or later when the clock was set back. */
      readonly chargedAtMs: number;
    }
  >;
  /** How the windows stand, without a charge. */
  look(
    keyNumber: number,
    windows: readonly LimitWindow[],
    nowMs: number,
  ): Promise<readonly WindowState[]>;
  /** Forgets what is held of a key: the store knows better, as after a failed commit. */
  forget(keyNumber: number): void;
}
