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

/** Whether it may call any tool there, and so may also ask what there is beside tools. */
export function mayUseMcpServer(
  { scopes, restrictions: { mcpTools } }: Pick<ApiKey, 'scopes' | 'restrictions'>,
  server: string,
): boolean {
  if (!grants(scopes, 'mcp:call')) return false;
  const serverOf = (pattern: string): string => pattern.slice(0, pattern.indexOf('/'));
  return mcpTools?.some((pattern) => matchesPattern(serverOf(pattern), server)) ?? true;
}
