import type { SandgateError } from '@sandgate/core';
import { microsandboxErrors } from './error-table.ts';

/**
 * Words that the old server's clients know, where ours differ. They are the same for every reason
 * of a refused credential, so that a stranger learns nothing from them.
 */
const documentedMessages: Partial<Record<SandgateError['code'], string>> = {
  credential_missing: 'Invalid credentials',
  credential_invalid: 'Invalid or expired token',
  access_denied: 'Access denied',
};

export const publicMessage = (error: SandgateError): string =>
  documentedMessages[error.code] ?? error.message;

/** The numbered body `{error, code}`: for everything that is refused before a method runs. */
export function microsandboxErrorResponse(error: SandgateError): Response {
  const { http } = microsandboxErrors[error.code];
  const { status, code } = http ?? { status: 500, code: 5002 };
  const headers: Record<string, string> = {};
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  if (error.code === 'method_not_allowed') headers.Allow = 'POST';
  return Response.json({ error: publicMessage(error), code }, { status, headers });
}
