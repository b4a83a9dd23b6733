import { changeMcpServer } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import {
  mcpServerChangesBody,
  mcpServerItem,
  mcpServerParams,
  toChanges,
  toMcpServerItem,
} from './mcp-server-schemas.ts';
import { requireCommandRights } from './require-command-rights.ts';

export const updateMcpServerRoute = defineRoute({
  operationId: 'updateMcpServer',
  method: 'patch',
  path: '/api/v1/mcp-servers/{server}',
  tag: 'MCP servers',
  summary: 'Change an MCP server behind the gate',
  description:
    'What is left out stays as it is. With an address on another host, headers that are kept must be given again; with another command, template or egress the environment.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'mcp_server.update',
  params: mcpServerParams,
  body: mcpServerChangesBody,
  answer: mcpServerItem,
  errors: ['mcp_server_not_found', 'egress_invalid'],
  async run({ params, body }, context) {
    const { workspace } = context.access;
    requireCommandRights(context.access, body);
    const server = await changeMcpServer(context, workspace, params.server, toChanges(body));
    return toMcpServerItem(server, context.serverKey().version);
  },
});
