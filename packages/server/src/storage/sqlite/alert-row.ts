import type { Alert, AlertSettings } from '@sandgate/core';
import type { Selectable } from 'kysely';
import { fromActorColumn } from './actor-column.ts';
import type { Schema } from './schema.ts';

export function toAlert(row: Selectable<Schema['alerts']>): Alert {
  return {
    number: row.number,
    workspaceId: row.workspace_id,
    keyNumber: row.key_number,
    type: row.type as Alert['type'],
    level: row.level as Alert['level'],
    message: row.message,
    value: row.value,
    threshold: row.threshold,
    status: row.status as Alert['status'],
    acknowledgedBy: row.acknowledged_by === null ? null : fromActorColumn(row.acknowledged_by),
    acknowledgedAtMs: row.acknowledged_at_ms,
    resolvedBy: row.resolved_by === null ? null : fromActorColumn(row.resolved_by),
    resolvedAtMs: row.resolved_at_ms,
    endedAtMs: row.ended_at_ms,
    ticketNumber: row.ticket_number,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

type SettingsRow = Selectable<Schema['alert_settings']>;

export function toAlertSettings(row: SettingsRow): AlertSettings {
  const { webhook_id: id, webhook_url: url, webhook_server_key_version: serverKeyVersion } = row;
  return {
    disabledTypes: JSON.parse(row.disabled_types) as AlertSettings['disabledTypes'],
    thresholds: JSON.parse(row.thresholds) as AlertSettings['thresholds'],
    webhook:
      id === null || url === null || serverKeyVersion === null
        ? null
        : { id, url, serverKeyVersion },
    updatedAtMs: row.updated_at_ms,
  };
}

export function toSettingsColumns(settings: AlertSettings): Omit<SettingsRow, 'scope'> {
  return {
    disabled_types: JSON.stringify(settings.disabledTypes),
    thresholds: JSON.stringify(settings.thresholds),
    webhook_id: settings.webhook?.id ?? null,
    webhook_url: settings.webhook?.url ?? null,
    webhook_server_key_version: settings.webhook?.serverKeyVersion ?? null,
    updated_at_ms: settings.updatedAtMs,
  };
}
