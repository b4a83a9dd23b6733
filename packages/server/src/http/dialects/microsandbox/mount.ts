import { type Clock, SandgateError } from '@sandgate/core';
import type { Logger } from 'pino';
import type { Authorizer } from '../../authorize/authorizer.ts';
import { type CredentialHeader, readCredential } from '../../authorize/read-credential.ts';
import { reportLimits } from '../../authorize/report-limits.ts';
import { CallLimit } from '../../call-limit.ts';
import { OutputBudget } from '../../output-budget.ts';
import { OutputPace } from '../../output-pace.ts';
import { readBody } from '../../read-body.ts';
import { releasingBody } from '../../releasing-body.ts';
import { type App, headerValues, peerAddress, type RequestContext } from '../../request-context.ts';
import { answerCall, type CallContext } from './answer-call.ts';
import { answerError, type RpcAnswer } from './rpc-envelope.ts';

export interface MicrosandboxDependencies {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** In the order in which the old server read them. */
const acceptedHeaders: readonly CredentialHeader[] = ['proxy-authorization', 'authorization'];

const maxBodyBytes = 2 * 1024 * 1024;
const maxBatchLength = 100;
/** Room for the longest output of one command. */
const maxOutputBytesOfRequest = 20 * 1024 * 1024;
const maxOutputBytesOfServer = 128 * 1024 * 1024;
/** What is shorter has left before it is worth counting. */
const shortAnswerBytes = 65_536;

/** What all calls at this door share. */
interface Bounds {
  readonly calls: CallLimit;
  readonly budget: OutputBudget;
  readonly pace: OutputPace;
}

/** The door of `msb` and its SDKs: `GET /api/v1/health` and `POST /api/v1/rpc`. */
export function mountMicrosandbox(app: App, dependencies: MicrosandboxDependencies): void {
  const bounds: Bounds = {
    calls: new CallLimit(),
    budget: new OutputBudget(maxOutputBytesOfServer),
    pace: new OutputPace(),
  };
  app.get('/api/v1/health', (context) => context.json({ message: 'Service is healthy' }));
  app.post('/api/v1/rpc', async (context) => await answerRpc(context, dependencies, bounds));
  app.all('/api/v1/rpc', () => {
    throw new SandgateError('method_not_allowed', 'Send JSON-RPC calls to this address by POST');
  });
}

async function answerRpc(
  context: RequestContext,
  dependencies: MicrosandboxDependencies,
  { budget, calls, pace }: Bounds,
): Promise<Response> {
  const credential = readCredential(headerValues(context), acceptedHeaders);
  const address = peerAddress(context);
  // A stranger's body is not worth reading. The call itself is checked again when it has arrived.
  const refusal = await dependencies.authorizer.identify({ credential, address });
  if (refusal !== null) throw refusal;
  requireJson(context.req.header('content-type'));
  const body = await readBody(context.req.raw, maxBodyBytes);
  const output = budget.open(maxOutputBytesOfRequest, credential ?? '');
  const { answer, status } = await answerBody(body, {
    ...dependencies,
    calls,
    pace,
    output,
    credential,
    address,
    signal: context.req.raw.signal,
    requestId: context.get('requestId'),
    onLimits: reportLimits(context, dependencies.clock),
  }).catch((error: unknown) => {
    output.release();
    throw error;
  });
  if (output.takenBytes > shortAnswerBytes) {
    const headers = { 'content-type': 'application/json' };
    return new Response(releasingBody(answer, output.release), { status, headers });
  }
  output.release();
  return answer === null ? new Response(null, { status }) : Response.json(answer, { status });
}

/** Null: nothing is answered. */
interface HttpAnswer {
  readonly answer: RpcAnswer | readonly RpcAnswer[] | null;
  readonly status: number;
}

function requireJson(contentType: string | undefined): void {
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return;
  throw new SandgateError(
    'unsupported_media_type',
    'Send JSON, with Content-Type: application/json',
  );
}

async function answerBody(body: string, context: CallContext): Promise<HttpAnswer> {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    const error = { code: -32700, message: 'Parse error: the body is not JSON' };
    return { answer: answerError(null, error), status: 400 };
  }
  return Array.isArray(message)
    ? await answerBatch(message, context)
    : await answerSingle(message, context);
}

async function answerSingle(message: unknown, context: CallContext): Promise<HttpAnswer> {
  const { answer, status, refusal } = await answerCall(message, context);
  if (refusal !== null) throw refusal;
  return { answer, status };
}

/** One call after another, so that a batch may start a sandbox and then use it. */
async function answerBatch(
  messages: readonly unknown[],
  context: CallContext,
): Promise<HttpAnswer> {
  if (messages.length === 0 || messages.length > maxBatchLength) {
    const message = `Invalid request: a batch has 1 to ${maxBatchLength} calls`;
    return { answer: answerError(null, { code: -32600, message }), status: 400 };
  }
  const answers = [];
  for (const message of messages) {
    // Nobody reads the answers any more, and what is left must not be carried out for nobody.
    if (context.signal.aborted) break;
    const { answer } = await answerCall(message, context);
    if (answer !== null) answers.push(answer);
  }
  return answers.length === 0 ? { answer: null, status: 204 } : { answer: answers, status: 200 };
}
