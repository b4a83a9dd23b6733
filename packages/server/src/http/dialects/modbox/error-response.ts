import type { SandgateError } from '@sandgate/core';
import { modboxErrors } from './error-table.ts';

export const modboxStatus = (error: SandgateError): number => modboxErrors[error.code].status;

/**
 * `{"detail": "…"}`, and for a request of the wrong form a list in `detail`: what FastAPI, which the
 * documented 422 is of, answers. The stable code is in a header.
 */
export function modboxErrorResponse(error: SandgateError): Response {
  const { status, detail = error.message } = modboxErrors[error.code];
  const headers = new Headers({ 'X-Error-Code': error.code, 'Cache-Control': 'no-store' });
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer');
  const allowed = error.data?.allow;
  if (typeof allowed === 'string') headers.set('Allow', allowed);
  return Response.json({ detail: status === 422 ? issuesOf(error) : detail }, { status, headers });
}

const issuesOf = ({ data, message }: SandgateError): unknown =>
  data?.issues ?? [{ loc: ['body'], msg: message, type: 'value_error' }];
