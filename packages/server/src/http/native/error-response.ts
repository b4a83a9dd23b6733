import type { SandgateError } from '@sandgate/core';
import { nativeErrors } from './error-table.ts';

export const nativeStatus = (error: SandgateError): number => nativeErrors[error.code].status;

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/**
 * `{"detail": "…"}` and nothing else, as documented. The stable code is in a header, where it
 * disturbs no client that compares bodies.
 */
export function nativeErrorAnswer(error: SandgateError): ErrorAnswer {
  const { status, detail = error.message } = nativeErrors[error.code];
  const allowed = error.data?.allow;
  return {
    status,
    headers: [
      ['X-Error-Code', error.code],
      ['Cache-Control', 'no-store'],
      ['Content-Type', 'application/json'],
      ...(status === 401 ? [['WWW-Authenticate', 'Bearer'] as const] : []),
      ...(typeof allowed === 'string' ? [['Allow', allowed] as const] : []),
    ],
    body: JSON.stringify({ detail }),
  };
}

export function nativeErrorResponse(error: SandgateError): Response {
  const { status, headers, body } = nativeErrorAnswer(error);
  return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
}
