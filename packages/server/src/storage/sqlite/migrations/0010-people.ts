import type { Migration } from './migration.ts';

/** People, their sessions, and what they are in workspaces. */
export const people: Migration = {
  version: 10,
  sql: `
    create table users (
      number integer primary key autoincrement not null,
      id text not null unique,
      email text not null unique,
      name text not null,
      password_hash text,
      enabled integer not null check (enabled in (0, 1)),
      home_workspace_id text not null references workspaces (id),
      created_at_ms integer not null,
      last_login_at_ms integer
    ) strict;

    create table members (
      workspace_id text not null references workspaces (id),
      user_id text not null references users (id),
      role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
      created_at_ms integer not null,
      primary key (workspace_id, user_id)
    ) strict, without rowid;
    create index members_by_user on members (user_id);
    create unique index members_one_owner on members (workspace_id) where role = 'owner';

    create table sessions (
      id text primary key not null,
      user_id text not null references users (id),
      created_at_ms integer not null,
      refreshed_at_ms integer not null,
      expires_at_ms integer not null,
      ends_at_ms integer not null,
      address text not null,
      agent text not null,
      ended_at_ms integer
    ) strict, without rowid;
    create index sessions_by_user on sessions (user_id);
    create index sessions_by_expiry on sessions (expires_at_ms);

    create table refresh_tokens (
      digest blob primary key not null check (length(digest) = 32),
      session_id text not null references sessions (id) on delete cascade,
      used_at_ms integer
    ) strict, without rowid;
    create index refresh_tokens_by_session on refresh_tokens (session_id);

    create table signing_keys (
      id text primary key not null,
      public_key text not null check (json_valid(public_key)),
      sealed_private_key blob not null,
      server_key_version integer not null references server_keys (version),
      created_at_ms integer not null
    ) strict, without rowid;

    alter table api_keys add column owner_id text references users (id);
    alter table api_keys add column follows_owner integer not null default 0
      check (follows_owner in (0, 1));
    create index api_keys_by_owner on api_keys (owner_id) where owner_id is not null;

    alter table audit_entries add column actor_user_number integer
      check ((actor_kind = 'user') = (actor_user_number is not null));
  `,
};
