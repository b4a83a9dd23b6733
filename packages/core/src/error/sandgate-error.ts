import type { ErrorCode } from './error-code.ts';

export interface SandgateErrorOptions {
  /** What the operator may read in the log and a stranger may not. Never a credential. */
  readonly detail?: string;
  /** Public facts beside the message, for clients that act on them. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * A refusal or failure with a stable code. `message` is public: it says what was wrong and what to
 * do. Each front door turns the code into a response of its own shape, in one place.
 */
export class SandgateError extends Error {
  override readonly name = 'SandgateError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: SandgateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.data = options.data;
  }
}
