import { removeMcpServer } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { mcpServerParams } from './mcp-server-schemas.ts';

export const removeMcpServerRoute = defineRoute({
  operationId: 'removeMcpServer',
  method: 'delete',
  path: '/api/v1/mcp-servers/{server}',
  tag: 'MCP servers',
  summary: 'Take the gate from in front of an MCP server',
  description: 'Nobody reaches it by this server any more. The server itself goes on.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'mcp_server.remove',
  params: mcpServerParams,
  answer: z.null(),
  status: 204,
  errors: ['mcp_server_not_found'],
  async run({ params }, context) {
    await removeMcpServer(context, context.access.workspace, params.server);
    return null;
  },
});
