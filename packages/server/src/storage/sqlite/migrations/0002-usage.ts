import type { Migration } from './migration.ts';

/**
 * A request appends one row and touches one page of one index, whatever the number of keys. Names
 * that repeat are numbers here, to keep both small.
 */
export const usage: Migration = {
  version: 2,
  sql: `
    create table usage_routes (
      number integer primary key not null,
      method text not null,
      endpoint text not null,
      unique (endpoint, method)
    ) strict;

    create table usage_workspaces (
      number integer primary key not null,
      workspace_id text not null unique
    ) strict;

    create table usage_rows (
      id integer primary key not null,
      key_number integer not null,
      workspace_number integer not null,
      route_number integer not null,
      request_id text not null,
      status integer not null,
      accepted integer not null check (accepted in (0, 1)),
      error_code text,
      duration_us integer not null,
      at_ms integer not null,
      sandbox_id text
    ) strict;
    create index usage_rows_by_key on usage_rows (key_number, accepted, id, at_ms);

    create table usage_key_hours (
      key_number integer not null,
      start_hour integer not null,
      route_number integer not null,
      workspace_number integer not null,
      calls integer not null,
      successes integer not null,
      duration_us integer not null,
      primary key (key_number, start_hour, route_number, workspace_number)
    ) strict, without rowid;

    create table usage_hours (
      workspace_number integer not null,
      start_hour integer not null,
      route_number integer not null,
      calls integer not null,
      successes integer not null,
      duration_us integer not null,
      primary key (workspace_number, start_hour, route_number)
    ) strict, without rowid;

    create table usage_days (
      workspace_number integer not null,
      start_day integer not null,
      route_number integer not null,
      calls integer not null,
      successes integer not null,
      duration_us integer not null,
      primary key (workspace_number, start_day, route_number)
    ) strict, without rowid;

    create table usage_blocks (
      number integer primary key not null,
      min_at_ms integer not null,
      max_at_ms integer not null
    ) strict;

    create table usage_progress (
      single integer primary key not null check (single = 1),
      rolled_up_to integer not null
    ) strict;
    insert into usage_progress (single, rolled_up_to) values (1, 0);
  `,
};
