/** Tables of sandboxes and of what belongs to them. */
export interface SandboxSchema {
  readonly sandboxes: SandboxTable;
  readonly snapshots: SnapshotTable;
  readonly volumes: VolumeTable;
  readonly idempotent_requests: IdempotentRequestTable;
  readonly images: ImageTable;
  readonly registries: RegistryTable;
}

interface RegistryTable {
  id: string;
  workspace_id: string;
  name: string;
  server: string;
  /** 0 or 1. */
  allow_http: number;
  username: string;
  sealed_password: Uint8Array;
  server_key_version: number;
  email: string | null;
  /** 0 or 1. */
  enabled: number;
  created_at_ms: number;
  updated_at_ms: number;
}

interface ImageTable {
  id: string;
  workspace_id: string;
  name: string;
  image: string;
  tag: string;
  description: string | null;
  /** 0 or 1. */
  enabled: number;
  /** 0 or 1. */
  is_default: number;
  memory_mib: number | null;
  ttl_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
  registry_id: string | null;
}

interface SandboxTable {
  id: string;
  workspace_id: string;
  name: string;
  state: string;
  /** JSON object. */
  definition: string;
  failure: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  destroyed_at_ms: number | null;
  template: string;
  /** JSON object. */
  labels: string;
  /** JSON object. */
  egress: string;
  /** JSON array. */
  volumes: string;
  from_snapshot: string | null;
  /** JSON object. */
  lifetime: string;
  /** JSON object. */
  snapshot_schedule: string | null;
  created_by_key: number | null;
  last_activity_at_ms: number;
  paused_at_ms: number | null;
  destroy_reason: string | null;
  start_failure: string | null;
}

interface SnapshotTable {
  id: string;
  workspace_id: string;
  sandbox_id: string;
  name: string;
  state: string;
  template: string;
  /** JSON object. */
  definition: string;
  /** 0 or 1. */
  automatic: number;
  size_bytes: number | null;
  failure_reason: string | null;
  created_at_ms: number;
  expires_at_ms: number | null;
}

interface VolumeTable {
  id: string;
  workspace_id: string;
  name: string;
  size_mib: number;
  state: string;
  region: string | null;
  attached_sandbox_id: string | null;
  guest_path: string | null;
  last_attached_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
}

interface IdempotentRequestTable {
  owner: string;
  method: string;
  path: string;
  key: string;
  fingerprint: string;
  /** JSON object; null while it is carried out. */
  answer: string | null;
  expires_at_ms: number;
}
