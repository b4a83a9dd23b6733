import type { ErrorCode } from '@sandgate/core';

export interface MicrosandboxError {
  /**
   * Numbered body `{error, code}` under an HTTP status, for what is refused before a method runs.
   * Null: the method ran, and its failure is a JSON-RPC error under HTTP 200.
   */
  readonly http: { readonly status: number; readonly code: number } | null;
  /** Code of the JSON-RPC error (JSON-RPC 2.0, section 5.1), also used inside a batch. */
  readonly rpc: number;
}

const refused = (status: number, code: number, rpc: number): MicrosandboxError => ({
  http: { status, code },
  rpc,
});
const failed = (rpc: number): MicrosandboxError => ({ http: null, rpc });

/** How this door words each error. Forgetting one is a compile error. */
export const microsandboxErrors: Readonly<Record<ErrorCode, MicrosandboxError>> = {
  credential_missing: refused(401, 1001, -32010),
  credential_invalid: refused(401, 1004, -32010),
  credential_ambiguous: refused(400, 1002, -32010),
  key_disabled: refused(403, 1003, -32010),
  address_not_allowed: refused(403, 3002, -32011),
  access_denied: refused(403, 3001, -32011),
  scope_missing: refused(403, 3003, -32011),
  origin_refused: refused(403, 3004, -32011),
  rate_limited: refused(429, 3005, -32012),
  invalid_request: refused(400, 2001, -32602),
  tenant_conflict: refused(400, 2002, -32602),
  ports_unsupported: refused(400, 2003, -32602),
  volume_refused: refused(400, 2004, -32602),
  image_unknown: refused(400, 2005, -32602),
  unsupported_media_type: refused(415, 2006, -32600),
  payload_too_large: refused(413, 2007, -32600),
  not_found: refused(404, 4001, -32601),
  method_not_allowed: refused(405, 4002, -32601),
  workspace_not_found: failed(-32001),
  sandbox_not_found: failed(-32001),
  sandbox_not_running: failed(-32002),
  sandbox_busy: failed(-32002),
  sandbox_exists: failed(-32002),
  sandbox_ended: failed(-32002),
  exec_timed_out: failed(-32003),
  command_not_found: failed(-32004),
  workdir_missing: failed(-32004),
  language_unsupported: failed(-32005),
  kernel_failed: failed(-32006),
  capacity_exceeded: failed(-32007),
  quota_exceeded: failed(-32007),
  request_abandoned: refused(499, 2008, -32600),
  engine_failed: failed(-32008),
  engine_unavailable: failed(-32008),
  storage_unavailable: refused(503, 5003, -32603),
  internal: refused(500, 5002, -32603),
  config_invalid: refused(500, 5002, -32603),
  grant_exceeded: refused(403, 3005, -32011),
  key_changed: refused(409, 6001, -32602),
  key_exists: refused(409, 6004, -32602),
  key_restricted: refused(403, 3006, -32011),
  key_not_found: refused(404, 6002, -32602),
  key_revoked: refused(409, 6003, -32602),
  server_key_mismatch: refused(500, 5002, -32603),
  capability_missing: failed(-32008),
  disk_full: failed(-32007),
  egress_invalid: failed(-32602),
  file_conflict: failed(-32004),
  file_denied: failed(-32004),
  file_exists: failed(-32004),
  file_not_found: failed(-32004),
  idempotency_conflict: failed(-32602),
  plan_refused: failed(-32007),
  port_closed: failed(-32004),
  process_not_found: failed(-32001),
  sandbox_paused: failed(-32002),
  snapshot_exists: failed(-32002),
  snapshot_not_found: failed(-32001),
  snapshot_not_ready: failed(-32002),
  volume_attached: failed(-32002),
  volume_exists: failed(-32002),
  volume_not_found: failed(-32001),
  captcha_refused: refused(400, 7001, -32602),
  invitation_invalid: refused(404, 7002, -32602),
  login_failed: refused(401, 7003, -32602),
  member_exists: refused(409, 7004, -32602),
  member_not_found: refused(404, 7005, -32602),
  owner_conflict: refused(409, 7006, -32602),
  redirect_refused: refused(400, 7007, -32602),
  refresh_raced: refused(409, 7008, -32602),
  role_refused: refused(403, 7009, -32602),
  session_ended: refused(401, 7010, -32602),
  setup_refused: refused(403, 7011, -32602),
  sign_in_failed: refused(401, 7012, -32602),
  user_exists: refused(409, 7013, -32602),
  user_not_found: refused(404, 7014, -32602),
  user_required: refused(403, 7015, -32602),
  workspace_exists: refused(409, 7016, -32602),
};
