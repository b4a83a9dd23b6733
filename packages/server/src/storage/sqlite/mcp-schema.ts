/** Tables of the gate. `docs/storage-schema.md` tells what each column means. */
export interface McpSchema {
  readonly mcp_servers: McpServerTable;
}

interface McpServerTable {
  id: string;
  workspace_id: string;
  name: string;
  /** JSON object. */
  upstream: string;
  /** 0 or 1. */
  authentication: number;
  /** JSON array of strings. */
  header_names: string;
  sealed_headers: Uint8Array | null;
  server_key_version: number | null;
  /** JSON array of strings. */
  allowed_origins: string;
  health_path: string | null;
  /** 0 or 1. */
  enabled: number;
  created_at_ms: number;
  updated_at_ms: number;
}
