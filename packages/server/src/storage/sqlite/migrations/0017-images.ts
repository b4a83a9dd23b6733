import type { Migration } from './migration.ts';

/** Images that workspaces have set up. */
export const images: Migration = {
  version: 17,
  sql: `
    create table images (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      name text not null,
      image text not null,
      tag text not null,
      description text,
      enabled integer not null check (enabled in (0, 1)),
      is_default integer not null check (is_default in (0, 1)),
      memory_mib integer,
      ttl_ms integer,
      created_at_ms integer not null,
      updated_at_ms integer not null
    ) strict;
    create index images_by_workspace on images (workspace_id, id);
    create unique index images_default on images (workspace_id) where is_default = 1;
  `,
};
