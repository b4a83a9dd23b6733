import type { SandgateError } from '@sandgate/core';

/** A method's failure, with what the client should still see of its run. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
  readonly error: SandgateError;
  readonly data: Record<string, unknown>;

  constructor(error: SandgateError, data: Record<string, unknown>) {
    super(error.message, { cause: error });
    this.error = error;
    this.data = data;
  }
}
