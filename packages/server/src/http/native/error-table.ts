import type { ErrorCode } from '@sandgate/core';

export interface NativeError {
  readonly status: number;
  /** The documented words, where they are not the error's own. */
  readonly detail?: string;
}

const words = (status: number, detail: string): NativeError => ({ status, detail });
const own = (status: number): NativeError => ({ status });

/** How this door answers each error. Forgetting one is a compile error. */
export const nativeErrors: Readonly<Record<ErrorCode, NativeError>> = {
  access_denied: words(403, 'This API key has no access to that workspace'),
  address_not_allowed: own(403),
  capability_missing: own(501),
  capacity_exceeded: own(503),
  command_not_found: own(422),
  config_invalid: words(500, 'Internal server error'),
  credential_ambiguous: own(400),
  credential_invalid: words(401, 'Invalid API key'),
  credential_missing: words(401, 'Missing API key'),
  disk_full: own(507),
  egress_invalid: own(400),
  engine_failed: own(502),
  engine_unavailable: own(503),
  exec_timed_out: own(408),
  file_conflict: own(409),
  file_denied: own(403),
  file_exists: own(409),
  file_not_found: own(404),
  grant_exceeded: own(403),
  idempotency_conflict: own(409),
  image_unknown: own(400),
  internal: words(500, 'Internal server error'),
  invalid_request: own(400),
  kernel_failed: own(502),
  key_changed: own(409),
  key_disabled: words(403, 'API key is inactive'),
  key_not_found: words(404, 'API key not found'),
  key_revoked: own(409),
  language_unsupported: own(400),
  method_not_allowed: own(405),
  not_found: own(404),
  origin_refused: own(403),
  payload_too_large: own(413),
  plan_refused: own(403),
  port_closed: own(502),
  ports_unsupported: own(400),
  process_not_found: own(404),
  quota_exceeded: own(409),
  rate_limited: own(429),
  request_abandoned: own(499),
  sandbox_busy: own(409),
  sandbox_ended: own(409),
  sandbox_exists: own(409),
  sandbox_not_found: own(404),
  sandbox_not_running: own(409),
  sandbox_paused: own(409),
  scope_missing: own(403),
  server_key_mismatch: words(500, 'Internal server error'),
  snapshot_exists: own(409),
  snapshot_not_found: own(404),
  snapshot_not_ready: own(409),
  storage_unavailable: own(503),
  tenant_conflict: own(400),
  unsupported_media_type: own(415),
  volume_attached: own(409),
  volume_exists: own(409),
  volume_not_found: own(404),
  volume_refused: own(400),
  workdir_missing: own(422),
  workspace_not_found: words(404, 'Workspace not found'),
};
