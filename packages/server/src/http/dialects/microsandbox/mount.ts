import { type Clock, type Sandboxes, SandgateError } from '@sandgate/core';
import type { Logger } from 'pino';
import type { Authorizer } from '../../authorize/authorizer.ts';
import { type CredentialHeader, readCredential } from '../../authorize/read-credential.ts';
import { reportLimits } from '../../authorize/report-limits.ts';
import { readBody } from '../../read-body.ts';
import { type App, headerValues, peerAddress, type RequestContext } from '../../request-context.ts';
import { answerCall, type CallContext } from './answer-call.ts';
import { answerError } from './rpc-envelope.ts';

export interface MicrosandboxDependencies {
  readonly authorizer: Authorizer;
  readonly sandboxes: Sandboxes;
  readonly clock: Clock;
  readonly log: Logger;
}

/** In the order in which the old server read them. */
const acceptedHeaders: readonly CredentialHeader[] = ['proxy-authorization', 'authorization'];

const maxBodyBytes = 2 * 1024 * 1024;
const maxBatchLength = 100;

/** The door of `msb` and its SDKs: `GET /api/v1/health` and `POST /api/v1/rpc`. */
export function mountMicrosandbox(app: App, dependencies: MicrosandboxDependencies): void {
  app.get('/api/v1/health', (context) => context.json({ message: 'Service is healthy' }));
  app.post('/api/v1/rpc', async (context) => await answerRpc(context, dependencies));
  app.all('/api/v1/rpc', () => {
    throw new SandgateError('method_not_allowed', 'Send JSON-RPC calls to this address by POST');
  });
}

async function answerRpc(
  context: RequestContext,
  dependencies: MicrosandboxDependencies,
): Promise<Response> {
  const credential = readCredential(headerValues(context), acceptedHeaders);
  const address = peerAddress(context);
  // A stranger's body is not worth reading. The call itself is checked again when it has arrived.
  const refusal = await dependencies.authorizer.identify({ credential, address });
  if (refusal !== null) throw refusal;
  requireJson(context.req.header('content-type'));
  const body = await readBody(context.req.raw, maxBodyBytes);
  return await answerBody(body, {
    ...dependencies,
    credential,
    address,
    signal: context.req.raw.signal,
    requestId: context.get('requestId'),
    onLimits: reportLimits(context, dependencies.clock),
  });
}

function requireJson(contentType: string | undefined): void {
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return;
  throw new SandgateError(
    'unsupported_media_type',
    'Send JSON, with Content-Type: application/json',
  );
}

async function answerBody(body: string, context: CallContext): Promise<Response> {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    const error = { code: -32700, message: 'Parse error: the body is not JSON' };
    return Response.json(answerError(null, error), { status: 400 });
  }
  return Array.isArray(message)
    ? await answerBatch(message, context)
    : await answerSingle(message, context);
}

async function answerSingle(message: unknown, context: CallContext): Promise<Response> {
  const { answer, status, refusal } = await answerCall(message, context);
  if (refusal !== null) throw refusal;
  return answer === null ? new Response(null, { status }) : Response.json(answer, { status });
}

/** One call after another, so that a batch may start a sandbox and then use it. */
async function answerBatch(messages: readonly unknown[], context: CallContext): Promise<Response> {
  if (messages.length === 0 || messages.length > maxBatchLength) {
    const message = `Invalid request: a batch has 1 to ${maxBatchLength} calls`;
    return Response.json(answerError(null, { code: -32600, message }), { status: 400 });
  }
  const answers = [];
  for (const message of messages) {
    // Nobody reads the answers any more, and what is left must not be carried out for nobody.
    if (context.signal.aborted) break;
    const { answer } = await answerCall(message, context);
    if (answer !== null) answers.push(answer);
  }
  return answers.length === 0 ? new Response(null, { status: 204 }) : Response.json(answers);
}
