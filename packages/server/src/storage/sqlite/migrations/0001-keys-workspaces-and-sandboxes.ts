import type { Migration } from './migration.ts';

/** What the first release stores. */
export const keysWorkspacesAndSandboxes: Migration = {
  version: 1,
  sql: `
    create table server_keys (
      version integer primary key not null,
      fingerprint text not null,
      created_at_ms integer not null
    ) strict;

    create table workspaces (
      id text primary key not null,
      uuid text not null unique,
      slug text not null unique,
      name text not null,
      plan text not null,
      created_at_ms integer not null
    ) strict;

    create table api_keys (
      number integer primary key autoincrement not null,
      id text not null unique,
      revision integer not null,
      lineage_id text not null,
      name text not null,
      description text not null,
      prefix text not null,
      last_four text not null,
      workspace_id text references workspaces (id),
      scopes text not null check (json_valid(scopes)),
      address_allow_list text not null check (json_valid(address_allow_list)),
      expires_at_ms integer,
      enabled integer not null check (enabled in (0, 1)),
      created_at_ms integer not null,
      last_used_at_ms integer,
      usage_count integer not null,
      revoked_at_ms integer
    ) strict;
    create index api_keys_by_workspace on api_keys (workspace_id);
    create index api_keys_live on api_keys (number) where revoked_at_ms is null;

    create table api_key_secrets (
      digest blob primary key not null check (length(digest) = 32),
      key_id text not null references api_keys (id),
      server_key_version integer not null references server_keys (version),
      created_at_ms integer not null,
      valid_until_ms integer
    ) strict, without rowid;
    create index api_key_secrets_by_key on api_key_secrets (key_id);

    create table sandboxes (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      name text not null,
      state text not null,
      definition text not null check (json_valid(definition)),
      failure text check ((state = 'failed') = (failure is not null)),
      created_at_ms integer not null,
      updated_at_ms integer not null,
      destroyed_at_ms integer check ((state = 'destroyed') = (destroyed_at_ms is not null))
    ) strict;
    create unique index sandboxes_living_name on sandboxes (workspace_id, name)
      where state <> 'destroyed';
  `,
};
