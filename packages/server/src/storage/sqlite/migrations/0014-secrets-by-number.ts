import type { Migration } from './migration.ts';

/**
 * A secret names its key by number: a check goes from the digest straight to the row of the key, and
 * not by way of an index of ids.
 */
export const secretsByNumber: Migration = {
  version: 14,
  sql: `
    create table secrets_by_number (
      digest blob primary key not null check (length(digest) = 32),
      key_number integer not null references api_keys (number),
      server_key_version integer not null references server_keys (version),
      created_at_ms integer not null,
      valid_until_ms integer
    ) strict, without rowid;
    insert into secrets_by_number
      select digest, number, server_key_version, api_key_secrets.created_at_ms, valid_until_ms
      from api_key_secrets cross join api_keys on api_keys.id = api_key_secrets.key_id
      order by digest;
    drop table api_key_secrets;
    alter table secrets_by_number rename to api_key_secrets;
    create index api_key_secrets_by_key on api_key_secrets (key_number);
  `,
};
