import type { Migration } from './migration.ts';

/** Workspaces that are described, closed and purged, and invitations into them. */
export const invitations: Migration = {
  version: 11,
  sql: `
    alter table workspaces add column description text not null default '';
    alter table workspaces add column created_by text references users (id);
    alter table workspaces add column updated_at_ms integer not null default 0;
    alter table workspaces add column closed_at_ms integer;
    alter table workspaces add column purged_at_ms integer
      check (purged_at_ms is null or closed_at_ms is not null);
    update workspaces set updated_at_ms = created_at_ms;
    create index workspaces_to_purge on workspaces (closed_at_ms)
      where closed_at_ms is not null and purged_at_ms is null;

    alter table users add column email_verified integer not null default 1
      check (email_verified in (0, 1));

    create table invitations (
      id text primary key not null,
      workspace_id text not null references workspaces (id),
      email text not null,
      role text not null check (role in ('admin', 'member', 'viewer')),
      digest blob not null unique check (length(digest) = 32),
      invited_by text references users (id),
      created_at_ms integer not null,
      expires_at_ms integer not null,
      unique (workspace_id, email)
    ) strict;
  `,
};
