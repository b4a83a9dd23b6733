import type { Migration } from './migration.ts';

/** MCP servers that the gate stands in front of. */
export const mcpServers: Migration = {
  version: 15,
  sql: `
    create table mcp_servers (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      name text not null unique,
      upstream text not null check (json_valid(upstream)),
      authentication integer not null check (authentication in (0, 1)),
      header_names text not null check (json_valid(header_names)),
      sealed_headers blob,
      server_key_version integer,
      allowed_origins text not null check (json_valid(allowed_origins)),
      health_path text,
      enabled integer not null check (enabled in (0, 1)),
      created_at_ms integer not null,
      updated_at_ms integer not null
    ) strict;
    create index mcp_servers_by_workspace on mcp_servers (workspace_id, name);
  `,
};
