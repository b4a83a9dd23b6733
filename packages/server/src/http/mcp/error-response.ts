import type { SandgateError } from '@sandgate/core';
import { microsandboxErrors } from '../dialects/microsandbox/error-table.ts';
import { nativeStatus } from '../native/error-response.ts';

/** As it is written in a message: a number may be a `JSON.rawJSON`. */
export type JsonRpcId = string | number | object;

/**
 * A refusal of a whole request, before any tool is asked: JSON-RPC's form under an HTTP status.
 * `metadataUrl`: of the resource, for a client that lacks a key or a scope.
 */
export function mcpErrorResponse(
  error: SandgateError,
  id: JsonRpcId | null,
  metadataUrl: string,
): Response {
  const status = nativeStatus(error);
  const { code, message } = error;
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  // RFC 6750, 3, and RFC 9728, 5.1: what the client lacks, and where it is told more.
  const needed = `resource_metadata="${metadataUrl}", scope="mcp:call"`;
  // 3.1: an error is named to who has shown something alone.
  const wrong = code === 'credential_missing' ? '' : 'error="invalid_token", ';
  if (status === 401) headers['WWW-Authenticate'] = `Bearer ${wrong}${needed}`;
  if (code === 'scope_missing') {
    headers['WWW-Authenticate'] = `Bearer error="insufficient_scope", ${needed}`;
  }
  const body = {
    jsonrpc: '2.0',
    id,
    error: { code: microsandboxErrors[code].rpc, message, data: { code } },
  };
  return Response.json(body, { status, headers });
}
