import {
  type Alert,
  type AlertSettingsView,
  alertLevels,
  alertStatuses,
  alertThresholds,
  alertTypes,
} from '@sandgate/core';
import { z } from 'zod';
import { actor, toActor } from '../actor.ts';
import {
  heldKey,
  holdsNoKey,
  nullableTime,
  queryNumber,
  queryTime,
  time,
  toNullableTime,
  toTime,
  workspaceName,
} from '../shared-schemas.ts';

export const alertParams = z.strictObject({ id: z.string() });

export const alertQuery = z.strictObject({
  type: z.enum(alertTypes).optional(),
  level: z.enum(alertLevels).optional(),
  status: z.enum(alertStatuses).optional(),
  key: z.string().max(24).optional().meta({ description: 'Number or id of a key' }),
  from: queryTime.optional(),
  to: queryTime.optional().meta({ description: 'Exclusive' }),
  size: queryNumber(1, 100).default(20),
  cursor: queryNumber(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ description: 'next_cursor of the page before' }),
  workspace: workspaceName.optional(),
});

export const alertItem = z
  .strictObject({
    id: z.int(),
    type: z.enum(alertTypes),
    level: z.enum(alertLevels),
    message: z.string(),
    value: z.number(),
    threshold: z.number().meta({ description: 'What value was held against' }),
    api_key_id: z.int(),
    user_id: z.null(),
    status: z.enum(alertStatuses),
    acknowledged_by: actor.nullable(),
    acknowledged_at: nullableTime,
    resolved_by: actor.nullable(),
    resolved_at: nullableTime,
    created_at: time,
    updated_at: time,
    ended_at: nullableTime.meta({ description: 'Null while what caused it goes on' }),
    ticket_id: z.int(),
  })
  .meta({ id: 'Alert' });

export const alertPage = z.strictObject({
  alerts: z.array(alertItem),
  next_cursor: z.int().nullable(),
});

export const toAlertItem = (alert: Alert): z.input<typeof alertItem> => ({
  id: alert.number,
  type: alert.type,
  level: alert.level,
  message: alert.message,
  value: alert.value,
  threshold: alert.threshold,
  api_key_id: alert.keyNumber,
  user_id: null,
  status: alert.status,
  acknowledged_by: alert.acknowledgedBy === null ? null : toActor(alert.acknowledgedBy),
  acknowledged_at: toNullableTime(alert.acknowledgedAtMs),
  resolved_by: alert.resolvedBy === null ? null : toActor(alert.resolvedBy),
  resolved_at: toNullableTime(alert.resolvedAtMs),
  created_at: toTime(alert.createdAtMs),
  updated_at: toTime(alert.updatedAtMs),
  ended_at: toNullableTime(alert.endedAtMs),
  ticket_id: alert.ticketNumber,
});

const threshold = (name: keyof typeof alertThresholds) =>
  z.number().min(alertThresholds[name].least).max(alertThresholds[name].most);

const thresholds = z.strictObject({
  rate_spike_factor: threshold('rateSpikeFactor'),
  rate_spike_minimum_calls: threshold('rateSpikeMinimumCalls'),
  error_spike_share: threshold('errorSpikeShare'),
  error_spike_minimum_calls: threshold('errorSpikeMinimumCalls'),
  idle_days: threshold('idleDays'),
  expiry_notice_days: threshold('expiryNoticeDays'),
  quota_near_share: threshold('quotaNearShare'),
});

export const alertSettingsBody = z.strictObject({
  disabled_types: z.array(z.enum(alertTypes)).max(alertTypes.length).optional(),
  thresholds: thresholds
    .partial()
    .optional()
    .meta({ description: 'Replaces all that were set; those left out are standard' }),
  webhook_url: z
    .string()
    .max(2_000)
    .refine(holdsNoKey, heldKey)
    .nullable()
    .optional()
    .meta({ description: 'Null: none. Setting one, the same too, makes a new secret' }),
  workspace: workspaceName.optional(),
});

export const alertSettings = z
  .strictObject({
    disabled_types: z.array(z.enum(alertTypes)),
    thresholds,
    webhook_url: z.string().nullable(),
    webhook_outdated: z.boolean().meta({
      description: 'The server key was replaced: set the address again to get a new secret',
    }),
    updated_at: nullableTime,
  })
  .meta({ id: 'AlertSettings' });

const toThresholdFields = (view: AlertSettingsView['thresholds']): z.input<typeof thresholds> => ({
  rate_spike_factor: view.rateSpikeFactor,
  rate_spike_minimum_calls: view.rateSpikeMinimumCalls,
  error_spike_share: view.errorSpikeShare,
  error_spike_minimum_calls: view.errorSpikeMinimumCalls,
  idle_days: view.idleDays,
  expiry_notice_days: view.expiryNoticeDays,
  quota_near_share: view.quotaNearShare,
});

export const toAlertSettings = (view: AlertSettingsView): z.input<typeof alertSettings> => ({
  disabled_types: [...view.settings.disabledTypes],
  thresholds: toThresholdFields(view.thresholds),
  webhook_url: view.settings.webhook?.url ?? null,
  webhook_outdated: view.webhookOutdated,
  updated_at: view.settings.updatedAtMs === 0 ? null : toTime(view.settings.updatedAtMs),
});

/** The domain's names of the thresholds that a request gives. */
export function toThresholds(
  given: Readonly<Record<string, number | undefined>>,
): Readonly<Record<string, number>> {
  const named = Object.entries(given).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value] as const],
  );
  return Object.fromEntries(named);
}
