import type { ErrorCode, SandgateError } from '@sandgate/core';

/** What a call can come to that was well asked, by somebody who may. */
const outcomes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'capability_missing',
  'capacity_exceeded',
  'digest_mismatch',
  'disk_full',
  'engine_failed',
  'engine_unavailable',
  'image_invalid',
  'image_not_found',
  'image_too_large',
  'image_unknown',
  'plan_refused',
  'platform_not_offered',
  'quota_exceeded',
  'registry_not_allowed',
  'registry_unauthorized',
  'registry_unreachable',
  'sandbox_busy',
  'sandbox_ended',
  'sandbox_exists',
  'sandbox_not_found',
]);

/**
 * The body of a 200 for a failure of what was asked for, which the documented answers of some calls have
 * fields for. Null for what is wrong with the request, or with who sends it: these have statuses.
 */
export const told =
  (fields: Readonly<Record<string, unknown>>) =>
  ({ code, message }: SandgateError): object | null =>
    outcomes.has(code) ? { success: false, error: message, ...fields } : null;
