import type { SandgateError } from '@sandgate/core';
import { microsandboxErrors } from '../../dialects/microsandbox/error-table.ts';
import { type JsonRpcId, mcpErrorResponse } from '../error-response.ts';
import { headerMismatchCode } from './mirrored-headers.ts';
import type { GateMessage } from './read-gate-message.ts';

/** Of a call of a tool: the protocol's own form of a failure, which the model reads. */
const toolFailure = (error: SandgateError, id: JsonRpcId | null) => ({
  jsonrpc: '2.0',
  id,
  result: {
    content: [{ type: 'text', text: `Error: ${error.message}` }],
    isError: true,
    // Wanted from 2026-07-28 on; clients of before pass over what they do not know.
    resultType: 'complete',
    _meta: { 'sandgate/error': error.code },
  },
});

/** A failure as a message, where an answer has begun already. */
export function failureMessage(error: SandgateError, { id, tool }: GateMessage): unknown {
  if (tool !== null) return toolFailure(error, id);
  const { code, message } = error;
  return {
    jsonrpc: '2.0',
    id,
    error: { code: microsandboxErrors[code].rpc, message, data: { code } },
  };
}

/**
 * A failure as an answer. `message` is null where nobody may call yet, or what was sent cannot be
 * read: then the status tells it.
 */
export function gateErrorResponse(
  error: SandgateError,
  message: GateMessage | null,
  id: JsonRpcId | null,
  metadataUrl: string,
): Response {
  if (error.data?.rpcCode === headerMismatchCode) return mismatchResponse(error, id);
  if (message === null || message.tool === null) {
    return mcpErrorResponse(error, id, metadataUrl);
  }
  return Response.json(toolFailure(error, id), { headers: { 'Cache-Control': 'no-store' } });
}

function mismatchResponse({ message }: SandgateError, id: JsonRpcId | null): Response {
  const body = { jsonrpc: '2.0', id, error: { code: headerMismatchCode, message } };
  return Response.json(body, { status: 400, headers: { 'Cache-Control': 'no-store' } });
}
