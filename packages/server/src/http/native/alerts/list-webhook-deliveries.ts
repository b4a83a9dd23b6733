import { type WebhookDelivery, webhookStates } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import {
  nullableTime,
  queryNumber,
  time,
  toNullableTime,
  toTime,
  workspaceName,
} from '../shared-schemas.ts';

const delivery = z
  .strictObject({
    id: z.string().meta({ description: 'The delivery_id that the receiver is told' }),
    event: z.string(),
    alert_id: z.int(),
    url: z.string(),
    state: z.enum(webhookStates),
    attempts: z.int(),
    last_error: z.string().nullable(),
    created_at: time,
    next_attempt_at: nullableTime.meta({ description: 'Null when it has ended' }),
    ended_at: nullableTime,
  })
  .meta({ id: 'WebhookDelivery' });

export const listWebhookDeliveriesRoute = defineRoute({
  operationId: 'listWebhookDeliveries',
  method: 'get',
  path: '/api/v1/alerts/webhook-deliveries',
  tag: 'Alerts',
  summary: 'List what the webhook was told, newest first, and what of it failed',
  description: 'Kept for 30 days after it ended.',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  query: z.strictObject({
    state: z.enum(webhookStates).optional(),
    size: queryNumber(1, 100).default(20),
    cursor: queryNumber(1, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'next_cursor of the page before' }),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({
    deliveries: z.array(delivery),
    next_cursor: z.int().nullable(),
  }),
  async run({ query: { state, size, cursor } }, { storage, access }) {
    const found = await storage.webhooks.list(access.workspace?.id, size + 1, {
      state,
      beforeNumber: cursor,
    });
    const shown = found.slice(0, size);
    return {
      deliveries: shown.map(toItem),
      next_cursor: found.length > size ? (shown.at(-1)?.number ?? null) : null,
    };
  },
});

function toItem(of: WebhookDelivery): z.input<typeof delivery> {
  const { event, alert } = JSON.parse(of.body) as { event: string; alert: { id: number } };
  return {
    id: of.id,
    event,
    alert_id: alert.id,
    url: of.url,
    state: of.state,
    attempts: of.attempts,
    last_error: of.lastError,
    created_at: toTime(of.createdAtMs),
    next_attempt_at: of.state === 'pending' ? toTime(of.nextAttemptAtMs) : null,
    ended_at: toNullableTime(of.endedAtMs),
  };
}
