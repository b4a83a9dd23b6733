import type { Migration } from './migration.ts';

/** What a person did is found without a look at what everybody did. */
export const auditByUser: Migration = {
  version: 16,
  sql: `
    create index audit_entries_by_user on audit_entries (actor_user_number, sequence)
      where actor_user_number is not null;
  `,
};
