export interface OpenedParts {
  add(close: () => Promise<void>): void;
  /**
   * Closes what was added, the newest first, and each one also when another could not be closed.
   * Throws the first failure at the end.
   */
  close(): Promise<void>;
}

/** What was opened so far, for a start that may fail half way and for the end. */
export function createOpenedParts(): OpenedParts {
  const closers: (() => Promise<void>)[] = [];
  return {
    add: (close) => void closers.push(close),
    async close() {
      const failures: unknown[] = [];
      for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
        await close().catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
