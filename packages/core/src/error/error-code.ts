/**
 * Every reason for which Sandgate refuses or fails a request. Codes are stable: clients and
 * dialects build on them. `docs/errors.md` describes each one, and a test keeps the two equal.
 */
export const errorCodes = [
  'access_denied',
  'address_not_allowed',
  'command_not_found',
  'config_invalid',
  'credential_ambiguous',
  'credential_invalid',
  'credential_missing',
  'engine_failed',
  'engine_unavailable',
  'exec_timed_out',
  'image_unknown',
  'internal',
  'invalid_request',
  'kernel_failed',
  'key_changed',
  'key_disabled',
  'key_not_found',
  'key_revoked',
  'language_unsupported',
  'method_not_allowed',
  'not_found',
  'origin_refused',
  'payload_too_large',
  'sandbox_busy',
  'sandbox_ended',
  'sandbox_not_found',
  'sandbox_not_running',
  'scope_missing',
  'server_key_mismatch',
  'storage_unavailable',
  'tenant_conflict',
  'unsupported_media_type',
  'volume_refused',
  'workdir_missing',
  'workspace_not_found',
] as const;

export type ErrorCode = (typeof errorCodes)[number];
