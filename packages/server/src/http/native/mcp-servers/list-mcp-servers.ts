import { listMcpServers } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { queryNumber, workspaceName } from '../shared-schemas.ts';
import { mcpServerItem, toMcpServerItem } from './mcp-server-schemas.ts';

export const listMcpServersRoute = defineRoute({
  operationId: 'listMcpServers',
  method: 'get',
  path: '/api/v1/mcp-servers',
  tag: 'MCP servers',
  summary: 'List MCP servers behind the gate, by name',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  query: z.strictObject({
    size: queryNumber(1, 100).default(20),
    cursor: z.string().max(63).optional().meta({ description: 'next_cursor of the page before' }),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({
    mcp_servers: z.array(mcpServerItem),
    next_cursor: z.string().nullable(),
  }),
  async run({ query: { size, cursor } }, context) {
    const { servers, nextAfterName } = await listMcpServers(context, context.access.workspace, {
      limit: size,
      afterName: cursor,
    });
    const { version } = context.serverKey();
    return {
      mcp_servers: servers.map((server) => toMcpServerItem(server, version)),
      next_cursor: nextAfterName,
    };
  },
});
