import {
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Access } from '../authorize/authorizer.ts';
import { allTools } from './all-tools.ts';
import { callTool, type McpRequest } from './call-tool.ts';
import { mayUseTool } from './may-use-tool.ts';
import { listedPrompts, writePrompt } from './prompts.ts';
import { listResources, listResourceTemplates } from './resources/list-resources.ts';
import { readResource } from './resources/read-resource.ts';
import { resourceError } from './resources/resource-error.ts';

const instructions =
  'Isolated sandboxes in which code and commands can be run safely. Start one with sandbox_start, then use sandbox_run_code, sandbox_run_command and the file tools in it, and stop it with sandbox_stop. Leave namespace out unless you were told one.';

/** The MCP server that answers one request. `caller` is null while nobody asks what there is. */
export function createMcpServer(
  version: string,
  request: McpRequest,
  caller: Access['caller'] | null,
): Server {
  const server = new Server(
    { name: 'sandgate', title: 'Sandgate', version },
    { capabilities: { tools: {}, prompts: {}, resources: {} }, instructions },
  );
  server.setRequestHandler('tools/list', () => ({
    tools: [...allTools.values()]
      .filter((tool) => mayUseTool(caller, tool))
      .map(({ listed }) => listed),
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = allTools.get(params.name);
    if (tool === undefined) throw invalid(`There is no tool "${params.name.slice(0, 128)}"`);
    const signal = AbortSignal.any([request.signal, context.mcpReq.signal]);
    const report = reportTo(context);
    return await callTool({ tool, input: params.arguments, signal, report }, request);
  });
  server.setRequestHandler('prompts/list', () => ({ prompts: listedPrompts }));
  server.setRequestHandler('prompts/get', ({ params }) => {
    if (!params.arguments?.sandbox_name) throw invalid('The argument sandbox_name is missing');
    const prompt = writePrompt(params.name, params.arguments);
    if (prompt === null) throw invalid(`There is no prompt "${params.name.slice(0, 128)}"`);
    return prompt;
  });
  server.setRequestHandler('resources/list', async ({ params }) => {
    const fail = (thrown: unknown) => Promise.reject(resourceError(thrown, '', request));
    return await listResources(params?.cursor, request).catch(fail);
  });
  server.setRequestHandler('resources/templates/list', () => listResourceTemplates(caller));
  server.setRequestHandler('resources/read', async ({ params: { uri } }, context) => {
    const signal = AbortSignal.any([request.signal, context.mcpReq.signal]);
    const fail = (thrown: unknown) => Promise.reject(resourceError(thrown, uri, request));
    return await readResource(uri, signal, request).catch(fail);
  });
  return server;
}

const invalid = (message: string): ProtocolError =>
  new ProtocolError(ProtocolErrorCode.InvalidParams, message);

function reportTo({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return null;
  return ({ progress, message }: { readonly progress: number; readonly message: string }): void => {
    const params = { progressToken, progress, message };
    // A client that has gone is told nothing; its call is ended by its signal.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}
