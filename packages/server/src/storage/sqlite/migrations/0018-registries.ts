import type { Migration } from './migration.ts';

/** Registries of workspaces, and images of them. */
export const registries: Migration = {
  version: 18,
  sql: `
    create table registries (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      name text not null,
      server text not null,
      allow_http integer not null check (allow_http in (0, 1)),
      username text not null,
      sealed_password blob not null,
      server_key_version integer not null,
      email text,
      enabled integer not null check (enabled in (0, 1)),
      created_at_ms integer not null,
      updated_at_ms integer not null
    ) strict;
    create index registries_by_workspace on registries (workspace_id, id);
    alter table images add column registry_id text;
  `,
};
