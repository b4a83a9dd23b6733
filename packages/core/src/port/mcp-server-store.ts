import type { RecordChange } from '../audit/audited-change.ts';
import type { McpServer } from '../mcp/mcp-server.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** A server, and the slug of its workspace. */
export interface PlacedMcpServer {
  readonly server: McpServer;
  readonly slug: Workspace['slug'];
}

export interface McpServerStore {
  /**
   * @throws SandgateError `mcp_server_exists` when another one has the name, in whatever workspace;
   * `quota_exceeded` when its workspace has `most` already; `workspace_not_found`
   */
  insert(server: McpServer, most: number, record?: RecordChange<McpServer>): Promise<void>;
  /** Of a workspace that is not closed. */
  findByName(name: string): Promise<PlacedMcpServer | null>;
  /** By name, from the one after `afterName`. Undefined: of all workspaces. */
  list(
    workspaceId: string | undefined,
    page: { readonly limit: number; readonly afterName?: string | undefined },
  ): Promise<readonly McpServer[]>;
  /**
   * Stores what `change` makes of the server that is stored now; its id, name and workspace stay.
   * What `change` throws changes nothing. Null: there is none of that name within the workspace.
   */
  change(
    workspaceId: string | undefined,
    name: string,
    change: (stored: McpServer) => McpServer,
    record?: RecordChange<McpServer>,
  ): Promise<McpServer | null>;
  /** Null: there was none. */
  remove(
    workspaceId: string | undefined,
    name: string,
    record?: RecordChange<McpServer>,
  ): Promise<McpServer | null>;
}
