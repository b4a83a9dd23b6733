import type { SandgateError } from '@sandgate/core';
import { nativeErrors } from './error-table.ts';

export const nativeStatus = (error: SandgateError): number => nativeErrors[error.code].status;

/**
 * `{"detail": "…"}` and nothing else, as documented. The stable code is in a header, where it
 * disturbs no client that compares bodies.
 */
export function nativeErrorResponse(error: SandgateError): Response {
  const { status, detail = error.message } = nativeErrors[error.code];
  const headers = new Headers({ 'X-Error-Code': error.code, 'Cache-Control': 'no-store' });
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer');
  const allowed = error.data?.allow;
  if (typeof allowed === 'string') headers.set('Allow', allowed);
  return Response.json({ detail }, { status, headers });
}
