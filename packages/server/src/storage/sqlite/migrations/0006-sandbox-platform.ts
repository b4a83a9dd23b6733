import type { Migration } from './migration.ts';

/** What the sandbox platform knows of a sandbox, and its snapshots, volumes and repeated requests. */
export const sandboxPlatform: Migration = {
  version: 6,
  sql: `
    alter table sandboxes add column template text not null default '';
    alter table sandboxes add column labels text not null default '{}' check (json_valid(labels));
    alter table sandboxes add column egress text not null default '{"mode":"deny_all"}'
      check (json_valid(egress));
    alter table sandboxes add column volumes text not null default '[]' check (json_valid(volumes));
    alter table sandboxes add column from_snapshot text;
    alter table sandboxes add column lifetime text not null
      default '{"expiresAtMs":null,"idleTimeoutMs":null,"maxLifetimeMs":null,"pausedTimeoutMs":null,"oneShot":false}'
      check (json_valid(lifetime));
    alter table sandboxes add column snapshot_schedule text check (json_valid(snapshot_schedule));
    alter table sandboxes add column created_by_key integer;
    alter table sandboxes add column last_activity_at_ms integer not null default 0;
    alter table sandboxes add column paused_at_ms integer;
    alter table sandboxes add column destroy_reason text;
    update sandboxes set
      template = json_extract(definition, '$.image'),
      last_activity_at_ms = updated_at_ms,
      destroy_reason = case when state = 'destroyed' then 'user' end;
    create index sandboxes_by_workspace on sandboxes (workspace_id, id);
    create index sandboxes_destroyed on sandboxes (destroyed_at_ms)
      where destroyed_at_ms is not null;

    create table snapshots (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      sandbox_id text not null,
      name text not null,
      state text not null check (state in ('creating', 'ready', 'failed')),
      template text not null,
      definition text not null check (json_valid(definition)),
      automatic integer not null check (automatic in (0, 1)),
      size_bytes integer check ((state = 'ready') = (size_bytes is not null)),
      failure_reason text check ((state = 'failed') = (failure_reason is not null)),
      created_at_ms integer not null,
      expires_at_ms integer
    ) strict;
    create unique index snapshots_living_name on snapshots (sandbox_id, name)
      where state <> 'failed';
    create index snapshots_by_workspace on snapshots (workspace_id, id);

    create table volumes (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      name text not null,
      size_mib integer not null,
      state text not null check (state in ('creating', 'ready', 'deleting')),
      region text,
      attached_sandbox_id text,
      guest_path text,
      last_attached_at_ms integer,
      created_at_ms integer not null,
      updated_at_ms integer not null,
      unique (workspace_id, name)
    ) strict;
    create index volumes_by_workspace on volumes (workspace_id, id);
    create index volumes_attached on volumes (attached_sandbox_id)
      where attached_sandbox_id is not null;

    create table idempotent_requests (
      owner text not null,
      method text not null,
      path text not null,
      key text not null,
      fingerprint text not null,
      answer text check (json_valid(answer)),
      expires_at_ms integer not null,
      primary key (owner, method, path, key)
    ) strict, without rowid;
    create index idempotent_requests_by_expiry on idempotent_requests (expires_at_ms);
  `,
};
