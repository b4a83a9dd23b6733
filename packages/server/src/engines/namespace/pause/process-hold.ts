/** Holds the processes of one sandbox still. Calls are made one after another. */
export interface ProcessHold {
  /**
   * Resolves when no process runs. Again while they are held: for those that have come since.
   * @throws SandgateError `engine_failed`, and then they run
   */
  hold(): Promise<void>;
  letGo(): Promise<void>;
  /** While held: does `work` with the agent and what it starts running, and holds them again. */
  withAgent<T>(work: () => Promise<T>): Promise<T>;
}
