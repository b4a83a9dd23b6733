import type { Migration } from './migration.ts';

/** Roll-ups may go through a stretch of rows key by key, and stop in the middle of it. */
export const rollUpByKey: Migration = {
  version: 20,
  sql: `
    alter table usage_progress add column rolling_to integer not null default 0;
    alter table usage_progress add column rolling_key integer not null default 0;
    alter table usage_progress add column rolling_id integer not null default 0;
  `,
};
