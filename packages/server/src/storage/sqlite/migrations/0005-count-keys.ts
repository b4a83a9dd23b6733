import type { Migration } from './migration.ts';

/** Indexes that hold all that counting keys asks for, so that a million of them are no scan of rows. */
export const countKeys: Migration = {
  version: 5,
  sql: `
    create index api_keys_active_by_expiry on api_keys (expires_at_ms)
      where revoked_at_ms is null and enabled = 1;
    create index api_keys_live_by_workspace on api_keys (workspace_id)
      where revoked_at_ms is null;
  `,
};
