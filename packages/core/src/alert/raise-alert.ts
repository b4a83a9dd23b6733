import type { ApiKey } from '../key/api-key.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import type { Storage } from '../port/storage.ts';
import type { Alert, AlertFinding } from './alert.ts';
import { alertDelivery } from './alert-delivery.ts';
import type { AlertWebhook } from './alert-settings.ts';

export interface RaiseAlertDependencies {
  readonly storage: Pick<Storage, 'alerts'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

const titles: Readonly<Record<Alert['type'], string>> = {
  rate_spike: 'Unusually many calls',
  error_spike: 'Unusually many errors',
  new_network: 'Used from a new network',
  idle_key: 'Not used for a long time',
  expiry_near: 'Expires soon',
  quota_near: 'Quota nearly used up',
  quota_reached: 'Quota used up',
};

/** Opens an alert with its ticket and tells the webhook, or keeps the one that is on up to date. */
export async function raiseAlert(
  { storage, clock, randomness }: RaiseAlertDependencies,
  key: Pick<ApiKey, 'number' | 'name' | 'workspaceId'>,
  finding: AlertFinding,
  webhook: AlertWebhook | null,
): Promise<{ readonly opened: boolean; readonly alert: Alert }> {
  const atMs = clock.nowMs();
  const name = key.name === '' ? '' : ` (${key.name.slice(0, 100)})`;
  return await storage.alerts.raise({
    keyNumber: key.number,
    workspaceId: key.workspaceId,
    finding,
    atMs,
    ticket: {
      subject: `${titles[finding.type]}: API key ${key.number}${name}`,
      body: finding.message,
    },
    delivery: alertDelivery({ clock, randomness }, 'alert.opened', webhook),
  });
}
