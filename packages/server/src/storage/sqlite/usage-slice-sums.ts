import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { blockIds, dayMs, hourMs } from './usage-units.ts';

/** Of this connection alone, and empty between two slices. */
const slice = `create temp table if not exists usage_slice (
  key_number integer not null, workspace_number integer not null, route_number integer not null,
  start_hour integer not null, block integer not null, calls integer not null,
  successes integer not null, duration_us integer not null, accepted integer not null,
  last_accepted_at_ms integer, min_at_ms integer not null, max_at_ms integer not null
)`;

const fillSlice = `insert into usage_slice
  select key_number, workspace_number, route_number, at_ms / ${hourMs}, usage_rows.id / ${blockIds},
    count(*),
    count(*) filter (where status between 1 and 399), sum(duration_us), sum(accepted),
    max(at_ms) filter (where accepted = 1), min(at_ms), max(at_ms)
  from json_each(?) cross join usage_rows on usage_rows.id = json_each.value group by 1, 2, 3, 4, 5`;

const added = 'sum(calls), sum(successes), sum(duration_us)';
const addToSums = `do update set calls = calls + excluded.calls,
  successes = successes + excluded.successes, duration_us = duration_us + excluded.duration_us`;

/** Adds the slice to each table of sums. Workspace 0 is the sum over everything. */
const sumSteps: readonly string[] = [
  `insert into usage_key_hours
    select key_number, start_hour, route_number, workspace_number, ${added} from usage_slice
    where true group by 1, 2, 3, 4
    on conflict (key_number, start_hour, route_number, workspace_number) ${addToSums}`,
  ...[
    { table: 'usage_hours', start: 'start_hour', value: 'start_hour' },
    { table: 'usage_days', start: 'start_day', value: `start_hour / ${dayMs / hourMs}` },
  ].flatMap(({ table, start, value }) => {
    const conflict = `on conflict (workspace_number, ${start}, route_number) ${addToSums}`;
    return [
      `insert into ${table} select 0, ${value}, route_number, ${added} from usage_slice
        where true group by 2, 3 ${conflict}`,
      `insert into ${table} select workspace_number, ${value}, route_number, ${added}
        from usage_slice where workspace_number <> 0 group by 1, 2, 3 ${conflict}`,
    ];
  }),
  `update api_keys set usage_count = usage_count + used.calls,
      last_used_at_ms = max(coalesce(last_used_at_ms, used.last_at_ms), used.last_at_ms)
    from (select key_number, sum(accepted) as calls, max(last_accepted_at_ms) as last_at_ms
      from usage_slice where accepted > 0 group by key_number) as used
    where api_keys.number = used.key_number`,
  `insert into usage_blocks select block, min(min_at_ms), max(max_at_ms) from usage_slice
    where true group by 1
    on conflict (number) do update set min_at_ms = min(min_at_ms, excluded.min_at_ms),
      max_at_ms = max(max_at_ms, excluded.max_at_ms)`,
];

/**
 * Adds a slice of rows to every sum. The rows are read once, into a table in memory that is as short
 * as they are alike: calls of one key to one route make one row of it.
 */
export class UsageSliceSums {
  readonly #fillSlice: PreparedStatement<never>;
  readonly #sumSteps: readonly PreparedStatement<never>[];
  readonly #emptySlice: PreparedStatement<never>;

  constructor(connection: SqliteConnection) {
    connection.prepare<never>(slice).run();
    this.#fillSlice = connection.prepare(fillSlice);
    this.#sumSteps = sumSteps.map((text) => connection.prepare(text));
    this.#emptySlice = connection.prepare('delete from usage_slice');
  }

  /** Inside a transaction. `ids`: of the rows, as JSON. */
  add(ids: string): void {
    // Not `run`: what is in memory alone makes the log no longer.
    this.#fillSlice.get(ids);
    for (const step of this.#sumSteps) step.run();
    this.#emptySlice.get();
  }
}
