import type { Migration } from './migration.ts';

/** What a key may touch. Its sandbox is looked for when one is destroyed. */
export const keyRestrictions: Migration = {
  version: 9,
  sql: `
    alter table api_keys add column restrictions text not null default '{}'
      check (json_valid(restrictions));
    create index api_keys_by_sandbox on api_keys (json_extract(restrictions, '$.sandboxId'))
      where json_extract(restrictions, '$.sandboxId') is not null and revoked_at_ms is null;
  `,
};
