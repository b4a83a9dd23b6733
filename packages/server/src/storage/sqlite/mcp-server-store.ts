import {
  type McpServer,
  type McpServerStore,
  type PlacedMcpServer,
  type RecordChange,
  SandgateError,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit } from './append-audit.ts';
import type { McpSchema } from './mcp-schema.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, workspaceNotFound } from './storage-failure.ts';

export class SqliteMcpServerStore implements McpServerStore {
  readonly #connection: SqliteConnection;

  /** The gate asks at each request. */
  readonly #remembered: RememberedReads<PlacedMcpServer>;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#remembered = new RememberedReads(connection);
  }

  async insert(server: McpServer, most: number, record?: RecordChange<McpServer>): Promise<void> {
    const { queries } = this.#connection;
    try {
      this.#connection.transaction('full', () => {
        const counted = this.#connection.first(
          queries
            .selectFrom('mcp_servers')
            .select((column) => column.fn.countAll<number>().as('servers'))
            .where('workspace_id', '=', server.workspaceId),
        );
        if ((counted?.servers ?? 0) >= most) throw tooMany(most);
        this.#connection.run(
          queries.insertInto('mcp_servers').values({
            id: server.id,
            workspace_id: server.workspaceId,
            name: server.name,
            created_at_ms: server.createdAtMs,
            ...toChangingColumns(server),
          }),
        );
        if (record !== undefined) appendAudit(this.#connection, record(server));
      });
    } catch (error) {
      throw toInsertRefusal(error, server.name);
    }
  }

  async findByName(name: string): Promise<PlacedMcpServer | null> {
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) return remembered;
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('mcp_servers')
        .innerJoin('workspaces', 'workspaces.id', 'mcp_servers.workspace_id')
        .selectAll('mcp_servers')
        .select('workspaces.slug')
        .where('mcp_servers.name', '=', name)
        .where('workspaces.closed_at_ms', 'is', null),
    );
    // Names that nobody has are anybody's to invent.
    if (row === undefined) return null;
    const placed = { server: toServer(row), slug: row.slug };
    this.#remembered.keep(name, placed);
    return placed;
  }

  async list(
    workspaceId: string | undefined,
    { limit, afterName }: Parameters<McpServerStore['list']>[1],
  ): Promise<readonly McpServer[]> {
    let chosen = this.#connection.queries
      .selectFrom('mcp_servers')
      .selectAll()
      .orderBy('name')
      .limit(limit);
    if (workspaceId !== undefined) chosen = chosen.where('workspace_id', '=', workspaceId);
    if (afterName !== undefined) chosen = chosen.where('name', '>', afterName);
    return this.#connection.all(chosen).map(toServer);
  }

  async change(
    workspaceId: string | undefined,
    name: string,
    change: (stored: McpServer) => McpServer,
    record?: RecordChange<McpServer>,
  ): Promise<McpServer | null> {
    return this.#connection.transaction('full', () => {
      const stored = this.#find(workspaceId, name);
      if (stored === null) return null;
      const { id, workspaceId: owner, createdAtMs } = stored;
      const changed = { ...change(stored), id, name, workspaceId: owner, createdAtMs };
      this.#connection.run(
        this.#connection.queries
          .updateTable('mcp_servers')
          .set(toChangingColumns(changed))
          .where('id', '=', id),
      );
      if (record !== undefined) appendAudit(this.#connection, record(changed));
      return changed;
    });
  }

  async remove(
    workspaceId: string | undefined,
    name: string,
    record?: RecordChange<McpServer>,
  ): Promise<McpServer | null> {
    return this.#connection.transaction('full', () => {
      const stored = this.#find(workspaceId, name);
      if (stored === null) return null;
      this.#connection.run(
        this.#connection.queries.deleteFrom('mcp_servers').where('id', '=', stored.id),
      );
      if (record !== undefined) appendAudit(this.#connection, record(stored));
      return stored;
    });
  }

  #find(workspaceId: string | undefined, name: string): McpServer | null {
    const named = this.#connection.queries
      .selectFrom('mcp_servers')
      .selectAll()
      .where('name', '=', name);
    const row = this.#connection.first(
      workspaceId === undefined ? named : named.where('workspace_id', '=', workspaceId),
    );
    return row === undefined ? null : toServer(row);
  }
}

type McpServerRow = Selectable<McpSchema['mcp_servers']>;

function toChangingColumns(
  server: McpServer,
): Omit<McpServerRow, 'id' | 'workspace_id' | 'name' | 'created_at_ms'> {
  return {
    upstream: JSON.stringify(server.upstream),
    authentication: server.authentication ? 1 : 0,
    header_names: JSON.stringify(server.headerNames),
    sealed_headers: server.sealedHeaders?.sealed ?? null,
    server_key_version: server.sealedHeaders?.serverKeyVersion ?? null,
    allowed_origins: JSON.stringify(server.allowedOrigins),
    health_path: server.healthPath,
    enabled: server.enabled ? 1 : 0,
    updated_at_ms: server.updatedAtMs,
  };
}

const toServer = (row: McpServerRow): McpServer => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  upstream: JSON.parse(row.upstream),
  authentication: row.authentication === 1,
  headerNames: JSON.parse(row.header_names),
  sealedHeaders:
    row.sealed_headers === null || row.server_key_version === null
      ? null
      : { sealed: row.sealed_headers, serverKeyVersion: row.server_key_version },
  allowedOrigins: JSON.parse(row.allowed_origins),
  healthPath: row.health_path,
  enabled: row.enabled === 1,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

const tooMany = (most: number): SandgateError =>
  new SandgateError(
    'quota_exceeded',
    `A workspace has ${most} MCP servers at most. Remove one first`,
  );

function toInsertRefusal(error: unknown, name: string): unknown {
  switch (sqliteCode(error)) {
    case constraint.unique:
      return new SandgateError(
        'mcp_server_exists',
        `There is an MCP server named "${name}". Choose another name`,
        { cause: error },
      );
    case constraint.foreignKey:
      return workspaceNotFound(error);
    default:
      return error;
  }
}
