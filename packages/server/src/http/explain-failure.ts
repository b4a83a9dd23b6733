import { SandgateError } from '@sandgate/core';
import type { Logger } from 'pino';

/** The answer that a failure becomes. */
export interface FailingAnswer {
  readonly requestId: string;
  readonly setHeader: (name: string, value: string) => void;
}

/**
 * What to tell the client of anything that was thrown, with what is not for clients in the log.
 * Every door words the result in its own shape.
 */
export function explainFailure(
  thrown: unknown,
  { requestId, setHeader }: FailingAnswer,
  log: Logger,
): SandgateError {
  if (!(thrown instanceof SandgateError)) {
    // A client that went away in the middle of its request is no defect.
    const abandoned = thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNRESET';
    log[abandoned ? 'debug' : 'error']({ err: thrown, requestId }, 'unexpected error');
    return new SandgateError('internal', 'Internal server error', { cause: thrown });
  }
  const { code, message, detail, cause, data } = thrown;
  if (detail !== undefined || cause !== undefined) {
    log.warn({ code, detail, err: cause, requestId }, message);
  }
  if (typeof data?.retryAfterMs === 'number') {
    // RFC 9110, 10.2.3: whole seconds. Rounded up, so that a retry then passes.
    setHeader('Retry-After', String(Math.ceil(data.retryAfterMs / 1_000)));
  }
  return thrown;
}
