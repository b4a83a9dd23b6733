import type { AuditContext } from '../audit/audit-log.ts';
import { audited, type ChangeLog } from '../audit/audited.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { AlertFilter, AlertPage } from '../port/alert-store.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import type { Storage } from '../port/storage.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { type Alert, type AlertStatus, momentaryTypes } from './alert.ts';
import { alertDelivery } from './alert-delivery.ts';
import { standardAlertSettings } from './alert-settings.ts';

export interface AlertDependencies {
  readonly storage: Pick<Storage, 'alerts'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly auditLog: ChangeLog;
}

/** The workspace that a caller may reach: null is an operator, who reaches all of them. */
type AccessWorkspace = Pick<Workspace, 'id'> | null;

export interface AlertListInput extends Omit<AlertFilter, 'workspaceId'> {
  readonly limit?: number | undefined;
  readonly beforeNumber?: number | undefined;
}

const maxPage = 100;

const notFound = () => new SandgateError('not_found', 'Alert not found');

/** Newest first, of those that are not resolved unless `statuses` says otherwise; 20 by default. */
export async function listAlerts(
  { storage }: Pick<AlertDependencies, 'storage'>,
  workspace: AccessWorkspace,
  { limit = 20, beforeNumber, ...filter }: AlertListInput = {},
): Promise<AlertPage> {
  return await storage.alerts.list(
    {
      ...filter,
      statuses: filter.statuses ?? ['active', 'acknowledged'],
      workspaceId: workspace?.id,
    },
    { limit: Math.max(1, Math.min(maxPage, limit)), beforeNumber },
  );
}

/** All that there ever were, newest first. */
export async function listAlertHistory(
  dependencies: Pick<AlertDependencies, 'storage'>,
  workspace: AccessWorkspace,
  input: AlertListInput = {},
): Promise<AlertPage> {
  const all: readonly AlertStatus[] = ['active', 'acknowledged', 'resolved'];
  return await listAlerts(dependencies, workspace, { ...input, statuses: input.statuses ?? all });
}

/** @throws SandgateError `not_found` */
export async function showAlert(
  { storage }: Pick<AlertDependencies, 'storage'>,
  workspace: AccessWorkspace,
  number: number,
): Promise<Alert> {
  const alert = await storage.alerts.find(workspace?.id, number);
  if (alert === null) throw notFound();
  return alert;
}

/** Acknowledging what is acknowledged or resolved changes nothing. @throws SandgateError `not_found` */
export async function acknowledgeAlert(
  dependencies: AlertDependencies,
  workspace: AccessWorkspace,
  input: { readonly number: number; readonly context: AuditContext },
): Promise<Alert> {
  const { storage, clock, auditLog } = dependencies;
  return await audited(auditLog, attempt('alert.acknowledge', workspace, input), async (change) => {
    const { actor } = input.context;
    const alert = await storage.alerts.acknowledge(
      workspace?.id,
      input.number,
      actor,
      clock.nowMs(),
      change.append,
    );
    if (alert === null) throw notFound();
    return alert;
  });
}

/**
 * Resolves an alert and its ticket. While what caused it goes on, no new one is opened for it.
 * @throws SandgateError `not_found`
 */
export async function resolveAlert(
  dependencies: AlertDependencies,
  workspace: AccessWorkspace,
  input: { readonly number: number; readonly context: AuditContext },
): Promise<Alert> {
  const { storage, clock, auditLog } = dependencies;
  return await audited(auditLog, attempt('alert.resolve', workspace, input), async (change) => {
    const { type, workspaceId } = await showAlert(dependencies, workspace, input.number);
    const { actor } = input.context;
    const settings = (await storage.alerts.settings(workspaceId)) ?? standardAlertSettings;
    const end = {
      atMs: clock.nowMs(),
      ends: momentaryTypes.includes(type),
      delivery: alertDelivery(dependencies, 'alert.resolved', settings.webhook),
    };
    const alert = await storage.alerts.resolve(
      workspace?.id,
      input.number,
      actor,
      end,
      change.append,
    );
    if (alert === null) throw notFound();
    return alert;
  });
}

/** @throws SandgateError `not_found`, `invalid_request` for a status that nobody can set */
export async function updateAlert(
  dependencies: AlertDependencies,
  workspace: AccessWorkspace,
  input: { readonly number: number; readonly status: string; readonly context: AuditContext },
): Promise<Alert> {
  if (input.status === 'acknowledged') {
    return await acknowledgeAlert(dependencies, workspace, input);
  }
  if (input.status === 'resolved') return await resolveAlert(dependencies, workspace, input);
  throw new SandgateError('invalid_request', 'status must be one of: acknowledged, resolved');
}

const attempt = (
  action: string,
  workspace: AccessWorkspace,
  { number, context }: { readonly number: number; readonly context: AuditContext },
) => ({
  ...context,
  action,
  target: `alert:${number}`,
  workspaceId: workspace?.id ?? null,
});
