import { buildEgressPolicy, type McpServer, type McpUpstream } from '@sandgate/core';
import { z } from 'zod';
import { toEgressFields } from '../sandboxes/sandbox-item.ts';
import { egress } from '../sandboxes/sandbox-schemas.ts';
import { heldKey, holdsNoKey, time, toTime } from '../shared-schemas.ts';

const serverName = z.string().refine(holdsNoKey, heldKey);

export const mcpServerParams = z.strictObject({ server: serverName });

const url = z
  .string()
  .max(2_000)
  .refine(holdsNoKey, heldKey)
  .meta({ description: 'Of the upstream, by Streamable HTTP' });

/** What may be said of a server, new or not. The rules are the core's. */
const settings = {
  url: url.optional(),
  command: z.array(z.string()).max(100).refine(holdsNoKey, heldKey).optional().meta({
    description:
      'Instead of url: program and arguments of an MCP server over stdio, which is run in a sandbox of the workspace',
  }),
  template: z
    .string()
    .max(255)
    .refine(holdsNoKey, heldKey)
    .nullable()
    .optional()
    .meta({ description: 'With command: of its sandbox. Default: that of sandboxes' }),
  egress: egress
    .nullable()
    .optional()
    .meta({ description: 'With command: of its sandbox. Default: that of sandboxes' }),
  environment: z.record(z.string().max(256), z.string().nullable()).optional().meta({
    description:
      'With command: its variables. Encrypted, and never shown. null removes one; those that are not named stay',
  }),
  authentication: z
    .boolean()
    .optional()
    .meta({ description: 'Whether every request needs a key. true unless given' }),
  headers: z.record(z.string(), z.string().nullable()).optional().meta({
    description:
      'Headers for the upstream, as its own credential. Encrypted, and never shown. null removes one; those that are not named stay',
  }),
  allowed_origins: z
    .array(z.string())
    .max(100)
    .refine(holdsNoKey, heldKey)
    .optional()
    .meta({ description: 'Web pages that may call, as https://app.example.com, or * for all' }),
  health_path: z
    .string()
    .refine(holdsNoKey, heldKey)
    .nullable()
    .optional()
    .meta({ description: 'Path on the upstream that anybody may ask whether it answers' }),
  enabled: z.boolean().optional(),
};

export const newMcpServerBody = z.strictObject({ name: serverName, ...settings });
export const mcpServerChangesBody = z.strictObject(settings);

export const toChanges = (body: z.output<typeof mcpServerChangesBody>) => ({
  url: body.url,
  command: body.command,
  template: body.template,
  egress: body.egress == null ? body.egress : buildEgressPolicy(body.egress),
  environment: body.environment,
  authentication: body.authentication,
  headers: body.headers,
  allowedOrigins: body.allowed_origins,
  healthPath: body.health_path,
  enabled: body.enabled,
});

export const mcpServerItem = z
  .strictObject({
    name: z.string(),
    endpoint: z.string().meta({ description: 'Path on this server that MCP clients are given' }),
    workspace_id: z.string(),
    url: z.string().nullable(),
    command: z.array(z.string()).nullable(),
    template: z.string().nullable(),
    egress: egress.nullable(),
    environment_names: z.array(z.string()).meta({ description: 'Their values are never shown' }),
    environment_outdated: z.boolean().meta({
      description: 'It was encrypted under a key that is gone: set it again',
    }),
    authentication: z.boolean(),
    header_names: z.array(z.string()).meta({ description: 'Their values are never shown' }),
    headers_outdated: z.boolean().meta({
      description: 'They were encrypted under a server key that is gone: set them again',
    }),
    allowed_origins: z.array(z.string()),
    health_path: z.string().nullable(),
    enabled: z.boolean(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'McpServer' });

export const toMcpServerItem = (
  server: McpServer,
  serverKeyVersion: number,
): z.input<typeof mcpServerItem> => ({
  name: server.name,
  endpoint: `/mcp/servers/${server.name}`,
  workspace_id: server.workspaceId,
  ...upstreamFields(server.upstream),
  authentication: server.authentication,
  header_names: [...server.headerNames],
  headers_outdated:
    server.sealedHeaders !== null && server.sealedHeaders.serverKeyVersion !== serverKeyVersion,
  allowed_origins: [...server.allowedOrigins],
  health_path: server.healthPath,
  enabled: server.enabled,
  created_at: toTime(server.createdAtMs),
  updated_at: toTime(server.updatedAtMs),
});

function upstreamFields(upstream: McpUpstream) {
  const isCommand = upstream.kind === 'command';
  const egress = isCommand ? upstream.egress : null;
  return {
    url: isCommand ? null : upstream.url,
    command: isCommand ? [...upstream.command] : null,
    template: isCommand ? upstream.template : null,
    egress: egress === null ? null : toEgressFields(egress),
    environment_names: isCommand ? Object.keys(upstream.environment) : [],
    environment_outdated: isCommand && upstream.sealed !== undefined,
  };
}
