/** At most `limit` accepted calls in any stretch of time of `widthMs`. */
export interface LimitWindow {
  /** As clients see it: `minute`, `hour`, `day`, `quota`. */
  readonly name: string;
  readonly limit: number;
  readonly widthMs: number;
}

/** How a window stands. */
export interface WindowState {
  readonly name: string;
  readonly limit: number;
  readonly widthMs: number;
  /** Calls that would be accepted right now. */
  readonly remaining: number;
  /** Until one more call fits in than now; 0 when the window is empty. */
  readonly resetAfterMs: number;
}

export type LimitDecision =
  | {
      readonly accepted: true;
      /** What the call was charged as: now, or later when the clock was set back. */
      readonly chargedAtMs: number;
    }
  | {
      readonly accepted: false;
      /**
       * The exact wait: a call made then is accepted, if no other comes in between, and one made a
       * millisecond earlier is not.
       */
      readonly retryAfterMs: number;
      /** The one that is full for longest. */
      readonly fullWindow: LimitWindow;
    };
