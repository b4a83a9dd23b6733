import type { Migration } from './migration.ts';

const day = 86_400_000;
const enabledDay = (row: string): string => `coalesce(${row}.expires_at_ms / ${day}, -1)`;
/** What a key counts for: all keys, and those of its workspace. */
const scopesOf = (row: string): string =>
  `(select '*' as workspace_id union all select coalesce(${row}.workspace_id, ''))`;
const add = (row: string, keys: 1 | -1): string => `
  insert into key_counts (workspace_id, state, expires_day, keys)
    select workspace_id, 'living', -1, ${keys} from ${scopesOf(row)}
      where ${row}.revoked_at_ms is null
    union all
    select workspace_id, 'enabled', ${enabledDay(row)}, ${keys} from ${scopesOf(row)}
      where ${row}.revoked_at_ms is null and ${row}.enabled = 1
    on conflict (workspace_id, state, expires_day) do update set keys = keys + excluded.keys;`;

/**
 * How many keys there are is asked by every dashboard, and a million of them take a tenth of a second
 * to count. The first counts come out of indexes that are sorted by what is counted.
 */
export const keyCounts: Migration = {
  version: 8,
  sql: `
    create table key_counts (
      workspace_id text not null,
      state text not null check (state in ('living', 'enabled')),
      expires_day integer not null,
      keys integer not null,
      primary key (workspace_id, state, expires_day)
    ) strict, without rowid;

    insert into key_counts
      select coalesce(workspace_id, ''), 'living', -1, count(*)
        from api_keys indexed by api_keys_live_by_workspace
        where revoked_at_ms is null group by workspace_id;
    insert into key_counts
      select coalesce(workspace_id, ''), 'enabled', ${enabledDay('api_keys')}, count(*)
        from api_keys indexed by api_keys_active
        where revoked_at_ms is null and enabled = 1 group by workspace_id, 3;
    insert into key_counts
      select '*', state, expires_day, sum(keys) from key_counts group by state, expires_day;

    create trigger key_counts_added after insert on api_keys begin ${add('new', 1)}
    end;
    create trigger key_counts_changed
      after update of workspace_id, expires_at_ms, enabled, revoked_at_ms on api_keys begin
      ${add('old', -1)} ${add('new', 1)}
    end;
  `,
};
