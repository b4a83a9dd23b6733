import type { AuditActor } from '../audit/audit-entry.ts';
import type { Alert, AlertLevel, AlertStatus, AlertType } from './alert.ts';

/** An alert as nesirat's documents write it, with our additions. Times are ISO 8601, UTC. */
export interface AlertBody {
  readonly id: number;
  readonly type: AlertType;
  readonly level: AlertLevel;
  readonly message: string;
  readonly value: number;
  readonly threshold: number;
  readonly api_key_id: number;
  /** Always null: a key has no user account behind it. */
  readonly user_id: null;
  readonly status: AlertStatus;
  /** `key:12`, `operator` or `server`. */
  readonly acknowledged_by: string | null;
  readonly acknowledged_at: string | null;
  readonly resolved_by: string | null;
  readonly resolved_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly ticket_id: number;
  readonly workspace_id: string | null;
}

export function toAlertBody(alert: Alert): AlertBody {
  return {
    id: alert.number,
    type: alert.type,
    level: alert.level,
    message: alert.message,
    value: alert.value,
    threshold: alert.threshold,
    api_key_id: alert.keyNumber,
    user_id: null,
    status: alert.status,
    acknowledged_by: actorText(alert.acknowledgedBy),
    acknowledged_at: timeText(alert.acknowledgedAtMs),
    resolved_by: actorText(alert.resolvedBy),
    resolved_at: timeText(alert.resolvedAtMs),
    created_at: new Date(alert.createdAtMs).toISOString(),
    updated_at: new Date(alert.updatedAtMs).toISOString(),
    ticket_id: alert.ticketNumber,
    workspace_id: alert.workspaceId,
  };
}

const timeText = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();

const actorText = (actor: AuditActor | null): string | null => {
  if (actor === null) return null;
  if (actor.kind === 'user') return `user:${actor.userNumber}`;
  return actor.kind === 'key' ? `key:${actor.keyNumber}` : actor.kind;
};
