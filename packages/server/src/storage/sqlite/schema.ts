import type { GeneratedAlways } from 'kysely';
import type { AuditAlertSchema } from './audit-alert-schema.ts';
import type { McpSchema } from './mcp-schema.ts';
import type { PeopleSchema } from './people-schema.ts';
import type { SandboxSchema } from './sandbox-schema.ts';
import type { UsageSchema } from './usage-schema.ts';

/** Tables as the migrations leave them. `docs/storage-schema.md` tells what each column means. */
export interface Schema
  extends AuditAlertSchema,
    McpSchema,
    PeopleSchema,
    SandboxSchema,
    UsageSchema {
  readonly server_keys: ServerKeyTable;
  readonly workspaces: WorkspaceTable;
  readonly api_keys: ApiKeyTable;
  readonly api_key_secrets: ApiKeySecretTable;
  readonly key_counts: KeyCountTable;
}

interface ServerKeyTable {
  version: number;
  fingerprint: string;
  created_at_ms: number;
}

interface WorkspaceTable {
  id: string;
  uuid: string;
  slug: string;
  name: string;
  plan: string;
  created_at_ms: number;
  description: string;
  created_by: string | null;
  updated_at_ms: number;
  closed_at_ms: number | null;
  purged_at_ms: number | null;
}

interface ApiKeyTable {
  number: GeneratedAlways<number>;
  id: string;
  revision: number;
  lineage_id: string;
  name: string;
  description: string;
  prefix: string;
  last_four: string;
  workspace_id: string | null;
  /** JSON array of strings. */
  scopes: string;
  /** JSON array of strings. */
  address_allow_list: string;
  expires_at_ms: number | null;
  /** 0 or 1. */
  enabled: number;
  created_at_ms: number;
  last_used_at_ms: number | null;
  usage_count: number;
  revoked_at_ms: number | null;
  parent_number: number | null;
  /** JSON object. */
  limits: string;
  /** JSON object. */
  restrictions: string;
  /** JSON object. */
  metadata: string;
  owner_id: string | null;
  /** 0 or 1. */
  follows_owner: number;
}

interface KeyCountTable {
  workspace_id: string;
  state: string;
  expires_day: number;
  keys: number;
}

interface ApiKeySecretTable {
  digest: Uint8Array;
  key_number: number;
  server_key_version: number;
  created_at_ms: number;
  valid_until_ms: number | null;
}
