import type { Alert, AlertFinding, AlertLevel, AlertStatus, AlertType } from '../alert/alert.ts';
import type { AlertSettings } from '../alert/alert-settings.ts';
import type { AuditActor } from '../audit/audit-entry.ts';
import type { RecordChange } from '../audit/audited-change.ts';
import type { NewWebhookDelivery } from './webhook-store.ts';

export interface AlertFilter {
  /** Absent: all workspaces, and keys of all of them. */
  readonly workspaceId?: string | undefined;
  readonly keyNumber?: number | undefined;
  readonly type?: AlertType | undefined;
  readonly level?: AlertLevel | undefined;
  /** Any of them. Absent: all. */
  readonly statuses?: readonly AlertStatus[] | undefined;
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
}

export interface AlertPage {
  readonly alerts: readonly Alert[];
  /** Give it as `beforeNumber` for the next page; null on the last one. */
  readonly nextBeforeNumber: number | null;
}

/** What to tell a webhook of an alert that was opened or resolved, stored with it. Null: nobody is told. */
export type TellWebhook = ((alert: Alert) => NewWebhookDelivery) | null;

export interface RaisedAlert {
  readonly keyNumber: number;
  readonly workspaceId: string | null;
  readonly finding: AlertFinding;
  readonly atMs: number;
  readonly ticket: { readonly subject: string; readonly body: string };
  readonly delivery: TellWebhook;
}

/**
 * Alerts, what is looked for, and where keys were used from. A method that is given a workspace
 * finds nothing outside of it; `undefined` in its place means all of them.
 */
export interface AlertStore {
  /**
   * In one transaction: opens an alert, its ticket and its delivery, or, while an episode of that
   * type is on for the key, keeps it up to date. A resolved alert whose episode is on stays as it is.
   */
  raise(raised: RaisedAlert): Promise<{ readonly opened: boolean; readonly alert: Alert }>;
  /**
   * Ends an episode. An alert that nobody resolved is resolved by the server, with `comment` on its
   * ticket, which is resolved too unless somebody works on it. False when no such episode is on.
   */
  endEpisode(
    keyNumber: number,
    type: AlertType,
    end: {
      readonly atMs: number;
      readonly comment: string;
      readonly delivery: TellWebhook;
    },
  ): Promise<boolean>;
  /** What is on for a key. */
  episodesOf(keyNumber: number): Promise<readonly Alert[]>;
  /** Keys with an episode, by number, of those above `afterNumber`. */
  keysWithEpisodes(afterNumber: number, limit: number): Promise<readonly number[]>;
  find(workspaceId: string | undefined, number: number): Promise<Alert | null>;
  /** Newest first. */
  list(
    filter: AlertFilter,
    page: { readonly limit: number; readonly beforeNumber?: number | undefined },
  ): Promise<AlertPage>;
  /** Null when there is none. One that is acknowledged or resolved already stays as it is. */
  acknowledge(
    workspaceId: string | undefined,
    number: number,
    by: AuditActor,
    atMs: number,
    record?: RecordChange<Alert>,
  ): Promise<Alert | null>;
  /** Its ticket too. `ends`: the episode with it. Null when there is none. */
  resolve(
    workspaceId: string | undefined,
    number: number,
    by: AuditActor,
    end: { readonly atMs: number; readonly ends: boolean; readonly delivery: TellWebhook },
    record?: RecordChange<Alert>,
  ): Promise<Alert | null>;
  /** Null: never made. `workspaceId` null: of the keys of all workspaces. */
  settings(workspaceId: string | null): Promise<AlertSettings | null>;
  putSettings(
    workspaceId: string | null,
    settings: AlertSettings,
    record?: RecordChange,
  ): Promise<void>;
  /**
   * Notes where a key was used from, and forgets the longest unseen beyond `most`.
   * @returns those that are new, and whether any was known before
   */
  noteNetworks(
    keyNumber: number,
    networks: readonly string[],
    note: { readonly atMs: number; readonly most: number },
  ): Promise<{ readonly added: readonly string[]; readonly knewAny: boolean }>;
}
