import type { Migration } from './migration.ts';

/** Keys of keys, limits of their own, and notes. */
export const childKeys: Migration = {
  version: 3,
  sql: `
    alter table api_keys add column parent_number integer references api_keys (number);
    alter table api_keys add column limits text not null default '{}' check (json_valid(limits));
    alter table api_keys add column metadata text not null default '{}' check (json_valid(metadata));
    create index api_keys_by_parent on api_keys (parent_number) where parent_number is not null;
    create index api_keys_active on api_keys (workspace_id, expires_at_ms)
      where revoked_at_ms is null and enabled = 1;
  `,
};
