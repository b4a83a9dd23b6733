import type { Migration } from './migration.ts';

export const auditAlertsAndTickets: Migration = {
  version: 4,
  sql: `
    create table audit_entries (
      sequence integer primary key not null,
      at_ms integer not null,
      actor_kind text not null,
      actor_key_number integer check ((actor_kind = 'key') = (actor_key_number is not null)),
      action text not null,
      target text,
      outcome text not null check (outcome in ('done', 'refused', 'failed')),
      workspace_id text,
      address text,
      request_id text,
      details text not null check (json_valid(details)),
      previous_hash text not null,
      hash text not null
    ) strict;
    create index audit_entries_by_action on audit_entries (action, sequence);
    create index audit_entries_by_key on audit_entries (actor_key_number, sequence)
      where actor_key_number is not null;
    create index audit_entries_by_time on audit_entries (at_ms);
    create index audit_entries_by_workspace on audit_entries (workspace_id, sequence);
    create trigger audit_entries_never_change before update on audit_entries
      begin select raise(abort, 'an audit entry is never changed'); end;
    create trigger audit_entries_never_go before delete on audit_entries
      begin select raise(abort, 'an audit entry is never removed'); end;
    create trigger audit_entries_only_append before insert on audit_entries
      when new.sequence <= (select coalesce(max(sequence), 0) from audit_entries)
      begin select raise(abort, 'an audit entry is only added at the end'); end;

    create table audit_head (
      id integer primary key not null check (id = 1),
      sequence integer not null,
      hash text not null,
      server_key_version integer,
      seal text
    ) strict;
    insert into audit_head (id, sequence, hash) values
      (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
    create trigger audit_head_never_goes before delete on audit_head
      begin select raise(abort, 'the head of the audit log is never removed'); end;

    create table tickets (
      number integer primary key autoincrement not null,
      workspace_id text references workspaces (id),
      subject text not null,
      body text not null,
      status text not null check (status in ('open', 'in_progress', 'resolved')),
      alert_number integer,
      opened_by text not null check (json_valid(opened_by)),
      created_at_ms integer not null,
      updated_at_ms integer not null,
      resolved_at_ms integer check ((status = 'resolved') = (resolved_at_ms is not null))
    ) strict;
    create index tickets_by_status on tickets (workspace_id, status);
    create index tickets_by_workspace on tickets (workspace_id);

    create table ticket_comments (
      number integer primary key autoincrement not null,
      ticket_number integer not null references tickets (number),
      author text not null check (json_valid(author)),
      text text not null,
      created_at_ms integer not null
    ) strict;
    create index ticket_comments_by_ticket on ticket_comments (ticket_number);

    create table alerts (
      number integer primary key autoincrement not null,
      workspace_id text references workspaces (id),
      key_number integer not null references api_keys (number),
      type text not null,
      level text not null check (level in ('info', 'warning', 'critical')),
      message text not null,
      value real not null,
      threshold real not null,
      status text not null check (status in ('active', 'acknowledged', 'resolved')),
      acknowledged_by text check (json_valid(acknowledged_by)),
      acknowledged_at_ms integer,
      resolved_by text check (json_valid(resolved_by)),
      resolved_at_ms integer check ((status = 'resolved') = (resolved_at_ms is not null)),
      ended_at_ms integer check (ended_at_ms is null or status = 'resolved'),
      ticket_number integer not null references tickets (number),
      created_at_ms integer not null,
      updated_at_ms integer not null
    ) strict;
    create index alerts_by_key on alerts (key_number);
    create index alerts_by_workspace on alerts (workspace_id);
    create unique index alerts_one_episode on alerts (key_number, type) where ended_at_ms is null;

    create table alert_settings (
      scope text primary key not null,
      disabled_types text not null check (json_valid(disabled_types)),
      thresholds text not null check (json_valid(thresholds)),
      webhook_id text,
      webhook_url text,
      webhook_server_key_version integer,
      updated_at_ms integer not null
    ) strict, without rowid;

    create table key_networks (
      key_number integer not null references api_keys (number),
      network text not null,
      first_seen_at_ms integer not null,
      last_seen_at_ms integer not null,
      primary key (key_number, network)
    ) strict, without rowid;

    create table webhook_deliveries (
      number integer primary key autoincrement not null,
      id text not null unique,
      workspace_id text references workspaces (id),
      webhook_id text not null,
      server_key_version integer not null,
      url text not null,
      body text not null check (json_valid(body)),
      state text not null check (state in ('pending', 'delivered', 'failed')),
      attempts integer not null,
      next_attempt_at_ms integer not null,
      last_error text,
      created_at_ms integer not null,
      ended_at_ms integer check ((state = 'pending') = (ended_at_ms is null))
    ) strict;
    create index webhook_deliveries_by_workspace on webhook_deliveries (workspace_id);
    create index webhook_deliveries_due on webhook_deliveries (next_attempt_at_ms)
      where state = 'pending';
  `,
};
