import { grants, mayCallTool, ownServerName } from '@sandgate/core';
import type { Access } from '../authorize/authorizer.ts';
import type { McpTool } from './mcp-tool.ts';

/** A tool that would be refused is not worth offering. `caller` is null while nobody asks. */
export function mayUseTool(caller: Access['caller'] | null, { listed, scope }: McpTool): boolean {
  if (caller === null || caller.kind === 'development') return true;
  const { key } = caller;
  return grants(key.scopes, scope) && mayCallTool(key, ownServerName, listed.name);
}
