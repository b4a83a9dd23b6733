import { SandgateError } from '../../error/sandgate-error.ts';
import { mayCallTool, mayUseMcpServer } from '../may-call-tool.ts';
import { grants } from '../scope.ts';
import type { CheckStep } from './check.ts';

export const checkTool: CheckStep = ({ key, request: { mcpTool } }) => {
  if (mcpTool === undefined) return null;
  if (!grants(key?.scopes ?? [], 'mcp:call')) {
    return new SandgateError('scope_missing', 'This API key lacks the scope mcp:call');
  }
  const { server, tool } = mcpTool;
  if (tool === null) {
    if (key !== null && mayUseMcpServer(key, server)) return null;
    return new SandgateError('key_restricted', `This API key may not use the MCP server ${server}`);
  }
  if (key !== null && mayCallTool(key, server, tool)) return null;
  return new SandgateError(
    'key_restricted',
    `This API key may not call the tool ${server}/${tool}`,
  );
};
