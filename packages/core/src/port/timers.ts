/** Waiting, injected so that tests need not wait. */
export interface Timers {
  /** Runs `run` once, `delayMs` from now. @returns what cancels it; calling it late does nothing */
  after(delayMs: number, run: () => void): () => void;
}
