import type { CallToolResult, JSONObject, Tool } from '@modelcontextprotocol/server';
import type { Scope } from '@sandgate/core';
import {
  type PreparedCall,
  prepareCall,
  type RpcMethod,
} from '../dialects/microsandbox/rpc-method.ts';

export type ToolContent = CallToolResult['content'][number];

/** One tool of Sandgate's own MCP server, which is called as a method of the microsandbox door is. */
export interface McpTool {
  /** As clients are told of it. */
  readonly listed: Tool;
  readonly scope: Scope;
  /** @throws SandgateError `invalid_request` that names what is wrong with the arguments */
  readonly prepare: (input: unknown) => PreparedCall;
}

/** Of an object with these properties and no others. */
export interface ToolInput {
  readonly properties: Readonly<Record<string, JSONObject>>;
  readonly required?: readonly string[];
}

export function mcpTool<Params>(
  name: string,
  description: string,
  { properties, required = [] }: ToolInput,
  method: RpcMethod<Params>,
): McpTool {
  return {
    listed: {
      name,
      description,
      inputSchema: {
        type: 'object',
        properties: { ...properties },
        required: [...required],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: method.safe },
    },
    scope: method.scope,
    prepare: (input) => prepareCall(name, method, input),
  };
}
