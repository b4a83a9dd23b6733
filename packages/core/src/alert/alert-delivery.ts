import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { NewWebhookDelivery } from '../port/webhook-store.ts';
import type { Alert } from './alert.ts';
import { toAlertBody } from './alert-body.ts';
import type { AlertWebhook } from './alert-settings.ts';

export type AlertEvent = 'alert.opened' | 'alert.resolved';

/** What a webhook is told of an alert, once it is known; null where nobody is to be told. */
export function alertDelivery(
  { clock, randomness }: { readonly clock: Clock; readonly randomness: Randomness },
  event: AlertEvent,
  webhook: AlertWebhook | null,
): ((alert: Alert) => NewWebhookDelivery) | null {
  if (webhook === null) return null;
  return (alert) => {
    const id = newResourceId(clock, randomness);
    const createdAtMs = clock.nowMs();
    return {
      id,
      workspaceId: alert.workspaceId,
      webhookId: webhook.id,
      serverKeyVersion: webhook.serverKeyVersion,
      url: webhook.url,
      body: JSON.stringify({
        event,
        delivery_id: id,
        created_at: new Date(createdAtMs).toISOString(),
        alert: toAlertBody(alert),
      }),
      createdAtMs,
    };
  };
}
