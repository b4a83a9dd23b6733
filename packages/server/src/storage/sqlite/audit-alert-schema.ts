import type { GeneratedAlways } from 'kysely';

/** Tables of the audit log, of alerts with their tickets, and of what is to be told to webhooks. */
export interface AuditAlertSchema {
  readonly audit_entries: AuditEntryTable;
  readonly audit_head: AuditHeadTable;
  readonly tickets: TicketTable;
  readonly ticket_comments: TicketCommentTable;
  readonly alerts: AlertTable;
  readonly alert_settings: AlertSettingsTable;
  readonly key_networks: KeyNetworkTable;
  readonly webhook_deliveries: WebhookDeliveryTable;
}

interface AuditEntryTable {
  sequence: number;
  at_ms: number;
  actor_kind: string;
  actor_key_number: number | null;
  action: string;
  target: string | null;
  outcome: string;
  workspace_id: string | null;
  address: string | null;
  request_id: string | null;
  /** JSON object. */
  details: string;
  previous_hash: string;
  hash: string;
  actor_user_number: number | null;
}

interface AuditHeadTable {
  /** 1: there is one row. */
  id: number;
  sequence: number;
  hash: string;
  server_key_version: number | null;
  seal: string | null;
}

interface TicketTable {
  number: GeneratedAlways<number>;
  workspace_id: string | null;
  subject: string;
  body: string;
  status: string;
  alert_number: number | null;
  /** JSON of an actor. */
  opened_by: string;
  created_at_ms: number;
  updated_at_ms: number;
  resolved_at_ms: number | null;
}

interface TicketCommentTable {
  number: GeneratedAlways<number>;
  ticket_number: number;
  /** JSON of an actor. */
  author: string;
  text: string;
  created_at_ms: number;
}

interface AlertTable {
  number: GeneratedAlways<number>;
  workspace_id: string | null;
  key_number: number;
  type: string;
  level: string;
  message: string;
  value: number;
  threshold: number;
  status: string;
  /** JSON of an actor. */
  acknowledged_by: string | null;
  acknowledged_at_ms: number | null;
  /** JSON of an actor. */
  resolved_by: string | null;
  resolved_at_ms: number | null;
  ended_at_ms: number | null;
  ticket_number: number;
  created_at_ms: number;
  updated_at_ms: number;
}

interface AlertSettingsTable {
  /** Id of a workspace, or empty for the keys of all workspaces. */
  scope: string;
  /** JSON array of types. */
  disabled_types: string;
  /** JSON object. */
  thresholds: string;
  webhook_id: string | null;
  webhook_url: string | null;
  webhook_server_key_version: number | null;
  updated_at_ms: number;
}

interface KeyNetworkTable {
  key_number: number;
  network: string;
  first_seen_at_ms: number;
  last_seen_at_ms: number;
}

interface WebhookDeliveryTable {
  number: GeneratedAlways<number>;
  id: string;
  workspace_id: string | null;
  webhook_id: string;
  server_key_version: number;
  url: string;
  body: string;
  state: string;
  attempts: number;
  next_attempt_at_ms: number;
  last_error: string | null;
  created_at_ms: number;
  ended_at_ms: number | null;
}
