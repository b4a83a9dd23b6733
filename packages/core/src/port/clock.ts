/** Time, injected so that nothing in the domain reads the wall clock by itself. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
}
