import type { ApiKey } from './api-key.ts';
import { grants } from './scope.ts';
import { matchesPattern } from './tool-pattern.ts';

/** Whether a key, narrowed by its ancestors, may call a tool of an MCP server. */
export function mayCallTool(
  { scopes, restrictions: { mcpTools } }: Pick<ApiKey, 'scopes' | 'restrictions'>,
  server: string,
  tool: string,
): boolean {
  if (!grants(scopes, 'mcp:call')) return false;
  return mcpTools?.some((pattern) => matchesPattern(pattern, `${server}/${tool}`)) ?? true;
}
