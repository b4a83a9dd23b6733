import type { AuditActor } from '../audit/audit-entry.ts';

/** What can be unusual about a key. `docs/alerts.md` says exactly when each one is raised. */
export const alertTypes = [
  'rate_spike',
  'error_spike',
  'new_network',
  'idle_key',
  'expiry_near',
  'quota_near',
  'quota_reached',
] as const;

export type AlertType = (typeof alertTypes)[number];

export const isAlertType = (text: string): text is AlertType =>
  (alertTypes as readonly string[]).includes(text);

export const alertLevels = ['info', 'warning', 'critical'] as const;

export type AlertLevel = (typeof alertLevels)[number];

export const alertStatuses = ['active', 'acknowledged', 'resolved'] as const;

export type AlertStatus = (typeof alertStatuses)[number];

/** Something unusual that was measured. */
export interface AlertFinding {
  readonly type: AlertType;
  readonly level: AlertLevel;
  /** For people. Holds no text that a caller chose, other than the name of a key. */
  readonly message: string;
  readonly value: number;
  /** What `value` was held against, in the same unit. */
  readonly threshold: number;
}

/**
 * One episode of something unusual about one key: from when it was first seen until it ended.
 * Times are epoch milliseconds.
 */
export interface Alert extends AlertFinding {
  /** Small integer id, unique on this server. */
  readonly number: number;
  /** The key's; null for a key of all workspaces. */
  readonly workspaceId: string | null;
  readonly keyNumber: number;
  readonly status: AlertStatus;
  readonly acknowledgedBy: AuditActor | null;
  readonly acknowledgedAtMs: number | null;
  /** The server, where what caused it ended by itself. */
  readonly resolvedBy: AuditActor | null;
  readonly resolvedAtMs: number | null;
  /** Null while what caused it goes on, also when it was resolved by hand meanwhile. */
  readonly endedAtMs: number | null;
  readonly ticketNumber: number;
  readonly createdAtMs: number;
  /** When it was last seen, or answered. */
  readonly updatedAtMs: number;
}

/** Types that happen once, and so end when somebody resolves them. The others end by themselves. */
export const momentaryTypes: readonly AlertType[] = ['new_network'];
