import type { Migration } from './migration.ts';

/** Who people are at providers of identities. */
export const identities: Migration = {
  version: 12,
  sql: `
    create table identities (
      provider text not null,
      subject text not null,
      user_id text not null references users (id),
      created_at_ms integer not null,
      primary key (provider, subject)
    ) strict, without rowid;
    create index identities_by_user on identities (user_id);
  `,
};
