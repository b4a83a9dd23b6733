import type { ErrorCode } from '@sandgate/core';

export interface BrimbleError {
  readonly status: number;
  /** Instead of the error's own words. */
  readonly message?: string;
}

const own = (status: number): BrimbleError => ({ status });
const words = (status: number, message: string): BrimbleError => ({ status, message });

const notReady = words(400, 'Sandbox is not ready; only ready sandboxes can be used');
/** One answer for what is not there and what is somebody else's, so that neither tells of the other. */
const noTeam = words(404, 'Team not found');
const broken = words(500, 'Internal server error');

/**
 * How this door answers each error, in the documented words where there are any. Conflicts are 400, as
 * Brimble's clients expect them. Forgetting a code is a compile error.
 */
export const brimbleErrors: Readonly<Record<ErrorCode, BrimbleError>> = {
  access_denied: noTeam,
  address_not_allowed: own(403),
  capability_missing: own(501),
  capacity_exceeded: own(503),
  captcha_refused: own(400),
  command_not_found: own(400),
  config_invalid: broken,
  credential_ambiguous: own(400),
  credential_invalid: words(401, 'Invalid API key'),
  credential_missing: words(401, 'API key is required'),
  digest_mismatch: own(502),
  disk_full: own(507),
  egress_invalid: own(400),
  engine_failed: own(503),
  engine_unavailable: own(503),
  exec_timed_out: own(408),
  file_conflict: own(400),
  file_denied: own(403),
  file_exists: own(400),
  file_not_found: own(404),
  grant_exceeded: own(403),
  idempotency_conflict: own(409),
  image_invalid: own(422),
  image_not_found: own(422),
  image_too_large: own(422),
  image_unknown: own(400),
  internal: broken,
  invalid_request: own(400),
  invitation_invalid: own(404),
  kernel_failed: own(503),
  key_changed: own(409),
  key_disabled: own(403),
  key_exists: words(
    409,
    'You already have an API key, you can reset it if you want to create a new one.',
  ),
  key_not_found: words(404, "You don't have an API key, you can create one if you want to."),
  key_restricted: own(403),
  key_revoked: own(409),
  language_unsupported: own(400),
  login_failed: own(401),
  mcp_server_exists: own(409),
  mcp_server_not_found: own(404),
  member_exists: own(409),
  member_not_found: own(404),
  method_not_allowed: own(405),
  not_found: own(404),
  origin_refused: own(403),
  owner_conflict: own(409),
  payload_too_large: own(413),
  plan_refused: own(403),
  platform_not_offered: own(422),
  port_closed: own(502),
  port_failed: own(502),
  ports_unsupported: own(400),
  process_not_found: own(404),
  quota_exceeded: own(403),
  rate_limited: own(429),
  redirect_refused: own(400),
  refresh_raced: own(409),
  registry_not_allowed: own(400),
  registry_unauthorized: own(422),
  registry_unreachable: own(502),
  request_abandoned: own(499),
  role_refused: own(403),
  sandbox_busy: own(400),
  sandbox_ended: words(400, 'Sandbox ended while the call ran'),
  sandbox_exists: own(400),
  sandbox_not_found: words(404, 'Sandbox not found'),
  sandbox_not_running: notReady,
  sandbox_paused: notReady,
  scope_missing: own(403),
  server_key_mismatch: broken,
  session_ended: own(401),
  setup_refused: own(403),
  sign_in_failed: own(401),
  snapshot_exists: own(400),
  snapshot_not_found: words(404, 'Snapshot not found'),
  snapshot_not_ready: own(400),
  storage_unavailable: own(503),
  tenant_conflict: own(400),
  unsupported_media_type: own(415),
  upstream_failed: own(502),
  upstream_timed_out: own(504),
  user_exists: own(409),
  user_not_found: own(404),
  user_required: own(403),
  volume_attached: own(400),
  volume_exists: own(400),
  volume_not_found: words(404, 'Volume not found'),
  volume_refused: own(400),
  workdir_missing: own(400),
  workspace_exists: own(409),
  workspace_not_found: noTeam,
};
