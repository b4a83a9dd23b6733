import type { SandgateError } from '@sandgate/core';
import { publicMessage } from './error-response.ts';
import { microsandboxErrors } from './error-table.ts';

export type RpcId = string | number | null;

/** A call as JSON-RPC 2.0 defines it. Without an id it is a notification, and gets no answer. */
export interface RpcCall {
  readonly method: string;
  readonly params: unknown;
  readonly id?: RpcId;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * Either `result` or `error` is there, never both and never null in the other's place: published
 * clients look for the mere presence of `error`.
 */
export type RpcAnswer = { readonly jsonrpc: '2.0'; readonly id: RpcId } & (
  | { readonly result: unknown }
  | { readonly error: RpcError }
);

export const answerResult = (id: RpcId, result: unknown): RpcAnswer => ({
  jsonrpc: '2.0',
  result,
  id,
});

export const answerError = (id: RpcId, error: RpcError): RpcAnswer => ({
  jsonrpc: '2.0',
  error,
  id,
});

/** A failure as JSON-RPC words it, with Sandgate's stable code beside the number. */
export function toRpcError(error: SandgateError): RpcError {
  return {
    code: microsandboxErrors[error.code].rpc,
    message: publicMessage(error),
    data: { ...error.data, code: error.code },
  };
}

/** A message that is not a call at all: section 5.1 gives it a number of its own. */
export type EnvelopeProblem = { readonly id: RpcId; readonly error: RpcError };

const isId = (value: unknown): value is RpcId =>
  value === null || typeof value === 'string' || typeof value === 'number';

/** Reads one element of a request. */
export function readCall(value: unknown): RpcCall | EnvelopeProblem {
  const problem = (message: string, id: RpcId = null): EnvelopeProblem => ({
    id,
    error: { code: -32600, message },
  });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return problem('Invalid request: a call is a JSON object');
  }
  const { jsonrpc, method, params, id } = value as Record<string, unknown>;
  if (id !== undefined && !isId(id)) return problem('Invalid request: id is a string or a number');
  if (jsonrpc !== '2.0') return problem('Invalid or missing jsonrpc version field', id ?? null);
  if (typeof method !== 'string') return problem('Invalid request: method is a string', id ?? null);
  return { method, params, ...(id === undefined ? {} : { id }) };
}
