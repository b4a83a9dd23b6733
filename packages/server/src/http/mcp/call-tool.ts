import type { CallToolResult } from '@modelcontextprotocol/server';
import { type AuditLog, audited, ownServerName, type WindowState } from '@sandgate/core';
import type { Logger } from 'pino';
import { actorOf } from '../authorize/actor-of.ts';
import type { Access, Authorizer, Call } from '../authorize/authorizer.ts';
import type { CallLimit } from '../call-limit.ts';
import { OutputLines } from '../dialects/microsandbox/output-lines.ts';
import type { PreparedCall } from '../dialects/microsandbox/rpc-method.ts';
import { explainFailure } from '../explain-failure.ts';
import { nativeStatus } from '../native/error-response.ts';
import type { OutputAllowance } from '../output-budget.ts';
import type { OutputPace } from '../output-pace.ts';
import type { McpTool, ToolContent } from './mcp-tool.ts';
import { type Progress, progressOutput } from './progress-output.ts';
import { showResults } from './show-result.ts';

export const mcpPath = '/mcp';

/** Who sent a request, and what its calls share. */
export interface McpRequest {
  readonly authorizer: Authorizer;
  readonly auditLog: AuditLog;
  readonly log: Logger;
  readonly credential: string | null;
  readonly address: string;
  readonly method: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
  readonly calls: CallLimit;
  readonly pace: OutputPace;
  readonly output: OutputAllowance;
  readonly onLimits: (limits: readonly WindowState[]) => void;
}

export interface ToolCall {
  readonly tool: McpTool;
  readonly input: unknown;
  readonly signal: AbortSignal;
  /** Null: the client did not ask for it. */
  readonly report: ((progress: Progress) => void) | null;
}

/** Calls a tool. What is refused or fails is a result, which says why. */
export async function callTool(call: ToolCall, request: McpRequest): Promise<CallToolResult> {
  try {
    const { result, content } = await runTool(call, request);
    return { content: [{ type: 'text', text: asText(result) }, ...content] };
  } catch (thrown) {
    call.signal.throwIfAborted();
    return failed(thrown, request);
  }
}

/**
 * Runs a tool with the rights of whoever sent the request. Where it works is read from its
 * arguments, once, and nothing else that a client sends is asked for it.
 * @throws SandgateError with the reason of a refusal, or of what failed
 */
export async function runTool(
  call: ToolCall,
  request: McpRequest,
): Promise<{ readonly result: unknown; readonly content: readonly ToolContent[] }> {
  const { tool, input } = call;
  const { name } = tool.listed;
  const prepared = prepare(tool, input);
  const content: ToolContent[] = [];
  const result = await request.authorizer.perform(
    {
      ...callOf(request),
      ...prepared,
      method: request.method,
      endpoint: `${mcpPath}#${name}`,
      mcpTool: { server: ownServerName, tool: name },
    },
    async (access) => {
      const run = () => runAudited(prepared, access, call, request, content);
      const { result, sandboxId = null } = prepared.safe
        ? await run()
        : await request.calls.run(nameOf(access), run);
      return { value: result, status: 200, sandboxId };
    },
  );
  return { result, content };
}

/** What all calls of a request have in common. */
export const callOf = ({
  credential,
  address,
  requestId,
  onLimits,
}: McpRequest): Pick<Call, 'credential' | 'address' | 'requestId' | 'resource' | 'statusOf'> &
  Required<Pick<Call, 'onLimits'>> => ({
  credential,
  address,
  requestId,
  onLimits,
  resource: mcpPath,
  statusOf: nativeStatus,
});

/** A call that cannot be read is still one: it is decided on and written down like any other. */
function prepare(tool: McpTool, input: unknown): PreparedCall {
  try {
    return tool.prepare(input);
  } catch (error) {
    const run = () => Promise.reject(error);
    return { scope: tool.scope, safe: true, workspace: { kind: 'own' }, run };
  }
}

async function runAudited(
  prepared: PreparedCall,
  access: Access,
  { tool, signal, report }: ToolCall,
  { auditLog, output, pace, address, requestId }: McpRequest,
  content: ToolContent[],
) {
  const { workspace, sandboxes } = access;
  const lines = new OutputLines(output, pace);
  const stream = report === null ? null : progressOutput(report);
  const push: OutputLines['push'] = (chunk) => {
    stream?.(chunk);
    return lines.push(chunk);
  };
  const attempt = {
    action: 'mcp.call',
    target: `tool:${ownServerName}/${tool.listed.name}`,
    actor: actorOf(access),
    workspaceId: workspace?.id ?? null,
    address,
    requestId,
  };
  return await audited(auditLog, attempt, () =>
    prepared.run({
      workspace,
      sandboxes,
      signal,
      output,
      newOutput: () => ({ push, finish: () => lines.finish() }),
      onResult: showResults(content, output, push),
    }),
  );
}

const nameOf = ({ caller }: Access): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

const asText = (result: unknown): string =>
  typeof result === 'string' ? result : JSON.stringify(result, null, 2);

/** MCP's own form of a failure, which the model reads: what was wrong, and what there was of output. */
function failed(thrown: unknown, { requestId, log }: McpRequest): CallToolResult {
  const error = explainFailure(thrown, { requestId, setHeader: () => undefined }, log);
  const text = `Error: ${error.message}`;
  const written = error.data?.output;
  const output = Array.isArray(written) && written.length > 0 ? `\n${asText(written)}` : '';
  return {
    content: [{ type: 'text', text: `${text}${output}` }],
    isError: true,
    _meta: { 'sandgate/error': error.code },
  };
}
