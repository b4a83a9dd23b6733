import { createMcpHandler } from '@modelcontextprotocol/server';
import { type AuditLog, SandgateError } from '@sandgate/core';
import type { Access } from '../authorize/authorizer.ts';
import { type CredentialHeader, readCredential } from '../authorize/read-credential.ts';
import { reportLimits } from '../authorize/report-limits.ts';
import { CallLimit } from '../call-limit.ts';
import { explainFailure } from '../explain-failure.ts';
import type { OauthServices } from '../oauth/oauth-services.ts';
import { OutputBudget } from '../output-budget.ts';
import { OutputPace } from '../output-pace.ts';
import { readJson } from '../read-json.ts';
import {
  type App,
  answerTo,
  headerValues,
  peerAddress,
  type RequestContext,
} from '../request-context.ts';
import { allTools } from './all-tools.ts';
import { callOf, type McpRequest, mcpPath } from './call-tool.ts';
import { mcpErrorResponse } from './error-response.ts';
import { type GateDependencies, mountGate } from './gate/mount-gate.ts';
import { createMcpServer } from './mcp-server.ts';
import { metadataUrlOf, mountResourceMetadata } from './protected-resource.ts';
import { refuseForeignPages } from './refuse-foreign-pages.ts';
import { releaseWith } from './release-with.ts';

export interface McpDependencies extends GateDependencies {
  readonly auditLog: AuditLog;
  /** Null: programs come with keys alone. */
  readonly oauth: OauthServices | null;
  /** Of Sandgate, as clients are told it. */
  readonly version: string;
}

const acceptedHeaders: readonly CredentialHeader[] = [
  'authorization',
  'x-api-key',
  'x-brimble-key',
];

const maxBodyBytes = 4 * 1024 * 1024;
const maxBatchLength = 100;
const maxOutputBytesOfRequest = 20 * 1024 * 1024;
const maxOutputBytesOfServer = 128 * 1024 * 1024;

/** The door of MCP clients: `/mcp`, by Streamable HTTP, and the gate in front of other servers. */
export function mountMcp(app: App, dependencies: McpDependencies): void {
  const { authorizer, auditLog, clock, log, version, signOn } = dependencies;
  const calls = new CallLimit();
  const budget = new OutputBudget(maxOutputBytesOfServer);
  const pace = new OutputPace();

  mountResourceMetadata(app, dependencies);
  mountGate(app, dependencies);
  app.all(mcpPath, async (context) => {
    try {
      refuseForeignPages(context);
      const credential = readCredential(headerValues(context), acceptedHeaders);
      const address = peerAddress(context);
      const refusal = await authorizer.identify({ credential, address, resource: mcpPath });
      if (refusal !== null) throw refusal;
      const received = await receive(context);
      const output = budget.open(maxOutputBytesOfRequest, credential ?? '');
      const request: McpRequest = {
        ...{ authorizer, auditLog, log, credential, address, calls, pace, output },
        method: context.req.method,
        requestId: context.get('requestId'),
        signal: context.req.raw.signal,
        onLimits: reportLimits(context, clock),
      };
      const answer: Answer = async (message, caller) => {
        const handler = createMcpHandler(() => createMcpServer(version, request, caller), {
          onerror: (error) => log.debug({ err: error, requestId: request.requestId }, 'MCP'),
        });
        const options = message === undefined ? {} : { parsedBody: message };
        return await handler.fetch(context.req.raw, options);
      };
      try {
        return releaseWith(await answerMessage(received, request, answer), output.release);
      } catch (error) {
        output.release();
        throw error;
      }
    } catch (thrown) {
      const error = explainFailure(thrown, answerTo(context), log);
      return mcpErrorResponse(error, null, metadataUrlOf(context, signOn));
    }
  });
}

/** What was sent by POST; undefined for any other method. */
type Received = { readonly message: unknown } | { readonly unreadable: unknown };

type Answer = (message: unknown, caller: Access['caller'] | null) => Promise<Response>;

async function receive(context: RequestContext): Promise<Received> {
  if (context.req.method !== 'POST') return { message: undefined };
  try {
    const message = await readJson(context, maxBodyBytes, false);
    if (!Array.isArray(message) || message.length <= maxBatchLength) return { message };
    throw new SandgateError('invalid_request', `A batch has ${maxBatchLength} calls at most`);
  } catch (unreadable) {
    return { unreadable };
  }
}

/**
 * Calls of tools, and what reads resources, are decided on one by one; everything else that is sent, as one call, also when it
 * cannot be read.
 */
async function answerMessage(
  received: Received,
  request: McpRequest,
  answer: Answer,
): Promise<Response> {
  if ('message' in received && areDecidedEach(received.message)) {
    return await answer(received.message, null);
  }
  return await request.authorizer.perform(
    {
      ...callOf(request),
      method: request.method,
      endpoint: mcpPath,
      scope: 'mcp:call',
      workspace: { kind: 'reach' },
      safe: true,
    },
    async ({ caller }) => {
      if ('unreadable' in received) throw received.unreadable;
      const value = await answer(received.message, caller);
      return { value, status: value.status };
    },
  );
}

function areDecidedEach(message: unknown): boolean {
  if (!Array.isArray(message)) return isDecidedItself(message);
  return message.length > 0 && message.every(isDecidedItself);
}

/**
 * A call of a tool that is there, or of resources, in a form that is carried out: it is decided on by its
 * own arguments. Without an id, it is none: a notification is not carried out.
 */
function isDecidedItself(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const { id, method, params = {} } = message as Readonly<Record<string, unknown>>;
  if (id === undefined || typeof params !== 'object' || params === null) return false;
  const { name, uri, cursor = '' } = params as Readonly<Record<string, unknown>>;
  if (method === 'tools/call') return typeof name === 'string' && allTools.has(name);
  if (method === 'resources/read') return typeof uri === 'string';
  return method === 'resources/list' && typeof cursor === 'string';
}
