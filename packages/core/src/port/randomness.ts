/** Cryptographically secure randomness, injected so that tests can repeat a run. */
export interface Randomness {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}
