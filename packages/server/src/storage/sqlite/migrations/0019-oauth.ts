import type { Migration } from './migration.ts';

export const oauth: Migration = {
  version: 19,
  sql: `
    create table oauth_records (
      kind text not null,
      id text not null,
      grant_id text,
      user_id text references users (id),
      payload text not null,
      created_at_ms integer not null,
      expires_at_ms integer,
      consumed_at_ms integer,
      primary key (kind, id)
    ) strict, without rowid;
    create index oauth_records_by_grant on oauth_records (grant_id) where grant_id is not null;
    create index oauth_records_by_user on oauth_records (user_id) where user_id is not null;
    create index oauth_records_by_expiry on oauth_records (expires_at_ms)
      where expires_at_ms is not null;
  `,
};
