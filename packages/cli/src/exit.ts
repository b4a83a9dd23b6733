/** What msb's exit codes mean. */
export const exitCodes = { failure: 1, usage: 2, notRunning: 3 } as const;

/** Ends a command with this code. With a message, `Error: <message>` is written to stderr. */
export class Exit extends Error {
  override readonly name = 'Exit';
  readonly code: number;

  constructor(code: number, message = '', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function failure(message: string, cause?: unknown): Exit {
  return new Exit(exitCodes.failure, message, { cause });
}

export function notRunning(message: string): Exit {
  return new Exit(exitCodes.notRunning, message);
}
