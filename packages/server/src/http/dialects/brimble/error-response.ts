import type { SandgateError } from '@sandgate/core';
import { jsonResponse } from './envelope.ts';
import { brimbleErrors } from './error-table.ts';
import { planMessage } from './plan-message.ts';

export const brimbleStatus = (error: SandgateError): number => brimbleErrors[error.code].status;

/** What a client is told of an error, wherever it is told. */
export const brimbleMessage = (error: SandgateError): string =>
  (error.code === 'plan_refused' ? planMessage(error.data) : null) ??
  brimbleErrors[error.code].message ??
  error.message;

/**
 * `{"message": "…"}`, which is all that clients read, and the stable code beside it. `status` where a
 * route must not answer the usual one.
 */
export function brimbleErrorResponse(
  error: SandgateError,
  status: number = brimbleStatus(error),
): Response {
  const allowed = error.data?.allow;
  return jsonResponse({ message: brimbleMessage(error), code: error.code }, status, {
    ...(typeof allowed === 'string' ? { Allow: allowed } : {}),
    // The rest of the body is not read: nothing can follow it on this connection.
    ...(status === 413 ? { Connection: 'close' } : {}),
  });
}
