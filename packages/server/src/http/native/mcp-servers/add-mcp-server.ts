import { addMcpServer, SandgateError } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import {
  mcpServerItem,
  newMcpServerBody,
  toChanges,
  toMcpServerItem,
} from './mcp-server-schemas.ts';
import { requireCommandRights } from './require-command-rights.ts';

export const addMcpServerRoute = defineRoute({
  operationId: 'addMcpServer',
  method: 'post',
  path: '/api/v1/mcp-servers',
  tag: 'MCP servers',
  summary: 'Put the gate in front of an MCP server',
  description: 'Clients then call it at `endpoint`. Its name is unique over all workspaces.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'mcp_server.add',
  body: newMcpServerBody.extend({ workspace: workspaceName.optional() }),
  answer: mcpServerItem,
  errors: ['mcp_server_exists', 'quota_exceeded', 'egress_invalid'],
  async run({ body: { name, workspace: _, ...settings } }, context) {
    const { workspace } = context.access;
    if (workspace === null) {
      throw new SandgateError('workspace_not_found', 'Name the workspace that the server is of');
    }
    requireCommandRights(context.access, settings);
    const server = await addMcpServer(context, workspace, { ...toChanges(settings), name });
    return toMcpServerItem(server, context.serverKey().version);
  },
});
