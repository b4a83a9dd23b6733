import type { SandgateError } from '@sandgate/core';
import { microsandboxErrors } from '../dialects/microsandbox/error-table.ts';
import { nativeStatus } from '../native/error-response.ts';

/** As it is written in a message: a number may be a `JSON.rawJSON`. */
export type JsonRpcId = string | number | object;

/** A refusal of a whole request, before any tool is asked: JSON-RPC's form under an HTTP status. */
export function mcpErrorResponse(error: SandgateError, id: JsonRpcId | null = null): Response {
  const status = nativeStatus(error);
  const { code, message } = error;
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  // RFC 6750, 3: what the client lacks.
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  if (code === 'scope_missing') {
    headers['WWW-Authenticate'] = 'Bearer error="insufficient_scope", scope="mcp:call"';
  }
  const body = {
    jsonrpc: '2.0',
    id,
    error: { code: microsandboxErrors[code].rpc, message, data: { code } },
  };
  return Response.json(body, { status, headers });
}
