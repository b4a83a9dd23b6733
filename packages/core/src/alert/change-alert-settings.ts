import type { AuditContext } from '../audit/audit-log.ts';
import { audited, type ChangeLog } from '../audit/audited.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { ServerKey } from '../key/key-digest.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { Workspace } from '../workspace/workspace.ts';
import {
  type AlertSettings,
  type AlertThresholds,
  effectiveThresholds,
  requireAlertTypes,
  requireThresholds,
  standardAlertSettings,
} from './alert-settings.ts';
import { webhookSecret } from './webhook-secret.ts';

export interface AlertSettingsDependencies {
  readonly storage: Pick<Storage, 'alerts'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  readonly auditLog: ChangeLog;
  /** What is wrong with a webhook's address, or null. */
  readonly webhookProblem: (url: string) => string | null;
}

export interface AlertSettingsView {
  readonly settings: AlertSettings;
  readonly thresholds: AlertThresholds;
  /** Its secret was made of a server key that is gone: set the address again to get a new one. */
  readonly webhookOutdated: boolean;
}

export interface AlertSettingsChanges {
  readonly disabledTypes?: readonly string[] | undefined;
  /** Replaces all that were set; those left out are standard. */
  readonly thresholds?: Readonly<Record<string, number>> | undefined;
  /** Null: none. Setting one, the same too, makes a new secret. */
  readonly webhookUrl?: string | null | undefined;
}

/** Of a workspace, or (null, for an operator) of the keys of all workspaces. */
export async function showAlertSettings(
  { storage, serverKey }: Pick<AlertSettingsDependencies, 'storage' | 'serverKey'>,
  workspace: Pick<Workspace, 'id'> | null,
): Promise<AlertSettingsView> {
  const stored = await storage.alerts.settings(workspace?.id ?? null);
  return toView(stored ?? standardAlertSettings, serverKey());
}

/**
 * What is left out stays as it is.
 * @returns the settings, and the webhook's secret when a webhook was set: this is the only time that
 * it is shown
 * @throws SandgateError `invalid_request`
 */
export async function changeAlertSettings(
  dependencies: AlertSettingsDependencies,
  workspace: Pick<Workspace, 'id'> | null,
  input: AlertSettingsChanges & { readonly context: AuditContext },
): Promise<AlertSettingsView & { readonly webhookSecret: string | null }> {
  const { storage, clock, serverKey, auditLog } = dependencies;
  const { context, ...changes } = input;
  const workspaceId = workspace?.id ?? null;
  const changed = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  const attempt = {
    ...context,
    action: 'alert.settings',
    workspaceId,
    details: { changed: changed.join(',') },
  };
  return await audited(auditLog, attempt, async (change) => {
    const stored = (await storage.alerts.settings(workspaceId)) ?? standardAlertSettings;
    const settings: AlertSettings = {
      disabledTypes:
        changes.disabledTypes === undefined
          ? stored.disabledTypes
          : requireAlertTypes(changes.disabledTypes),
      thresholds:
        changes.thresholds === undefined
          ? stored.thresholds
          : requireThresholds(changes.thresholds),
      webhook:
        changes.webhookUrl === undefined
          ? stored.webhook
          : newWebhook(dependencies, changes.webhookUrl),
      updatedAtMs: clock.nowMs(),
    };
    await storage.alerts.putSettings(workspaceId, settings, change.append);
    const { webhook } = settings;
    const isNew = webhook !== null && webhook.id !== stored.webhook?.id;
    return {
      ...toView(settings, serverKey()),
      webhookSecret: isNew ? webhookSecret(serverKey(), webhook.id) : null,
    };
  });
}

function newWebhook(
  { clock, randomness, serverKey, webhookProblem }: AlertSettingsDependencies,
  url: string | null,
): AlertSettings['webhook'] {
  if (url === null) return null;
  const problem = webhookProblem(url);
  if (problem !== null) throw new SandgateError('invalid_request', problem);
  return { id: newResourceId(clock, randomness), url, serverKeyVersion: serverKey().version };
}

const toView = (settings: AlertSettings, { version }: ServerKey): AlertSettingsView => ({
  settings,
  thresholds: effectiveThresholds(settings),
  webhookOutdated: settings.webhook !== null && settings.webhook.serverKeyVersion !== version,
});
