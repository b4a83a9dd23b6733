import { showMcpServer } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { mcpServerItem, mcpServerParams, toMcpServerItem } from './mcp-server-schemas.ts';

export const showMcpServerRoute = defineRoute({
  operationId: 'getMcpServer',
  method: 'get',
  path: '/api/v1/mcp-servers/{server}',
  tag: 'MCP servers',
  summary: 'Show an MCP server behind the gate',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  params: mcpServerParams,
  answer: mcpServerItem,
  errors: ['mcp_server_not_found'],
  run: async ({ params }, context) =>
    toMcpServerItem(
      await showMcpServer(context, context.access.workspace, params.server),
      context.serverKey().version,
    ),
});
