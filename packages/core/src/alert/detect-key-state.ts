import type { ApiKey } from '../key/api-key.ts';
import type { WindowState } from '../limit/limit-window.ts';
import type { AlertFinding } from './alert.ts';
import type { AlertThresholds } from './alert-settings.ts';

const dayMs = 86_400_000;

/** Not used for `idleDays`, or made that long ago and never used. */
export function detectIdle(
  key: Pick<ApiKey, 'createdAtMs' | 'lastUsedAtMs' | 'enabled'>,
  nowMs: number,
  { idleDays }: AlertThresholds,
): AlertFinding | null {
  const value = Math.floor((nowMs - (key.lastUsedAtMs ?? key.createdAtMs)) / dayMs);
  // A disabled key is harmless, and cannot be used.
  if (value < idleDays || !key.enabled) return null;
  return {
    type: 'idle_key',
    level: 'info',
    message:
      key.lastUsedAtMs === null
        ? `Never used in the ${value} days since it was made. Revoke it if nobody needs it`
        : `Not used for ${value} days. Revoke it if nobody needs it`,
    value,
    threshold: idleDays,
  };
}

/**
 * Expires within `expiryNoticeDays`. A key that was made to live for less than twice that long is
 * meant to expire, and is passed over.
 */
export function detectExpiry(
  key: Pick<ApiKey, 'createdAtMs' | 'expiresAtMs'>,
  nowMs: number,
  { expiryNoticeDays }: AlertThresholds,
): AlertFinding | null {
  if (key.expiresAtMs === null) return null;
  const leftMs = key.expiresAtMs - nowMs;
  const noticeMs = expiryNoticeDays * dayMs;
  if (leftMs <= 0 || leftMs > noticeMs) return null;
  if (key.expiresAtMs - key.createdAtMs < 2 * noticeMs) return null;
  return {
    type: 'expiry_near',
    level: 'warning',
    message: `Expires at ${new Date(key.expiresAtMs).toISOString()}`,
    value: Math.round((leftMs / dayMs) * 10) / 10,
    threshold: expiryNoticeDays,
  };
}

/** An episode ends a tenth lower than it begins, so that use around the mark is one episode. */
const endShare = 0.9;

/** How much of the fullest window of a day or more is used, against `quotaNearShare` and all of it. */
export function detectQuota(
  windows: readonly WindowState[],
  type: 'quota_near' | 'quota_reached',
  { quotaNearShare }: AlertThresholds,
  goesOn: boolean,
): AlertFinding | null {
  const shares = windows
    .filter(({ widthMs, limit }) => widthMs >= dayMs && limit > 0)
    .map(({ limit, remaining }) => (limit - remaining) / limit);
  const value = Math.max(0, ...shares);
  const threshold = type === 'quota_near' ? quotaNearShare : 1;
  const mark = goesOn ? threshold * endShare : threshold;
  // Shares such as 0.8 * 0.9 have no exact form: a millionth more or less is the same mark.
  if (value < mark - 1e-6) return null;
  return {
    type,
    level: type === 'quota_near' ? 'warning' : 'critical',
    message: `${Math.floor(value * 100)} % of the calls that it may make in a day are used`,
    value,
    threshold,
  };
}
