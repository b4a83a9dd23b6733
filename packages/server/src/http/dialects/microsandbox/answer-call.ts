import { SandgateError, type WindowState } from '@sandgate/core';
import type { Logger } from 'pino';
import type { Access, Authorizer } from '../../authorize/authorizer.ts';
import type { CallLimit } from '../../call-limit.ts';
import type { OutputAllowance } from '../../output-budget.ts';
import type { OutputPace } from '../../output-pace.ts';
import { microsandboxErrors } from './error-table.ts';
import { OutputLines } from './output-lines.ts';
import {
  answerError,
  answerResult,
  type RpcAnswer,
  type RpcCall,
  readCall,
  toRpcError,
} from './rpc-envelope.ts';
import { rpcMethods } from './rpc-methods.ts';

export interface CallContext {
  readonly authorizer: Authorizer;
  readonly log: Logger;
  readonly credential: string | null;
  readonly address: string;
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly calls: CallLimit;
  readonly pace: OutputPace;
  /** What the answers to this request may hold. */
  readonly output: OutputAllowance;
  readonly onLimits: (limits: readonly WindowState[]) => void;
}

export interface CallOutcome {
  /** Null for a notification. */
  readonly answer: RpcAnswer | null;
  /** HTTP status of the answer when the call came alone. */
  readonly status: number;
  /** Set when a single call is answered with the numbered body instead. */
  readonly refusal: SandgateError | null;
}

/** Answers one element of a request: checks its form, the caller's right, and runs it. */
export async function answerCall(message: unknown, context: CallContext): Promise<CallOutcome> {
  const call = readCall(message);
  if ('error' in call) {
    return { answer: answerError(call.id, call.error), status: 400, refusal: null };
  }
  const prepare = rpcMethods.get(call.method);
  if (prepare === undefined) {
    const error = { code: -32601, message: `Method not found: ${call.method.slice(0, 128)}` };
    return outcome(call, answerError(call.id ?? null, error), 404);
  }
  try {
    const prepared = prepare(call.params);
    const { signal, output, pace } = context;
    if (output.exhausted) throw outputExhausted();
    const newOutput = () => new OutputLines(output, pace);
    const result = await context.authorizer.perform(
      {
        ...context,
        ...prepared,
        method: 'POST',
        endpoint: `/api/v1/rpc#${call.method}`,
        statusOf: (error) => microsandboxErrors[error.code].http?.status ?? 200,
      },
      async ({ caller, workspace, sandboxes }) => {
        const run = () => prepared.run({ workspace, sandboxes, signal, newOutput });
        const { result, sandboxId = null } = prepared.safe
          ? await run()
          : await context.calls.run(nameOf(caller), run);
        return { value: result, status: 200, sandboxId };
      },
    );
    return outcome(call, answerResult(call.id ?? null, result), 200);
  } catch (error) {
    return failure(call, error, context.log);
  }
}

const nameOf = (caller: Access['caller']): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

/** Nothing of such a call was carried out. */
const outputExhausted = (): SandgateError =>
  new SandgateError(
    'capacity_exceeded',
    'The answers to the calls before this one hold as much output as they may. Send it in another request',
  );

/**
 * A notification is carried out, and not answered, whatever becomes of it (JSON-RPC 2.0, section
 * 4.1): only the HTTP status, which is none of JSON-RPC's, tells of a refusal.
 */
function outcome(
  call: RpcCall,
  answer: RpcAnswer,
  status: number,
  refusal: SandgateError | null = null,
): CallOutcome {
  if (call.id !== undefined) return { answer, status, refusal };
  const refusedStatus = refusal === null ? null : microsandboxErrors[refusal.code].http?.status;
  return { answer: null, status: refusedStatus ?? 204, refusal: null };
}

function failure(call: RpcCall, thrown: unknown, log: Logger): CallOutcome {
  const error = asSandgateError(thrown, log);
  const answer = answerError(call.id ?? null, toRpcError(error));
  const refusal = microsandboxErrors[error.code].http === null ? null : error;
  return outcome(call, answer, 200, refusal);
}

function asSandgateError(error: unknown, log: Logger): SandgateError {
  if (!(error instanceof SandgateError)) {
    log.error({ err: error }, 'a call failed unexpectedly');
    return new SandgateError('internal', 'Internal server error', { cause: error });
  }
  if (error.detail !== undefined || error.cause !== undefined) {
    log.warn({ code: error.code, detail: error.detail, err: error.cause }, error.message);
  }
  return error;
}
