import type { Migration } from './migration.ts';

/**
 * Requests only append their rows; roll-ups put them into the index, many at once. What is stored
 * already is in the index, so the index stays as it is: only its definition changes. To say so to
 * SQLite takes no time, whereas `alter table` on a strict table would look at every row, and another
 * index would be written from all of them.
 */
export const indexUsageLater: Migration = {
  version: 7,
  editsSchema: true,
  sql: `
    update sqlite_schema set sql = replace(sql, 'sandbox_id text', 'sandbox_id text,
      indexed integer not null default 1') where type = 'table' and name = 'usage_rows';
    update sqlite_schema set sql = sql || ' where indexed = 1'
      where type = 'index' and name = 'usage_rows_by_key';
  `,
};
