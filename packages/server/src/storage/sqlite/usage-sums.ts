import type { UsageBucket, UsageFilter, UsageSummary } from '@sandgate/core';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { noWorkspace, type UsageNames } from './usage-names.ts';
import { isUnsummed } from './usage-progress.ts';
import type { UsageTail } from './usage-tail.ts';
import { dayMs, hourMs } from './usage-units.ts';

interface SumRow {
  readonly calls: number;
  readonly successes: number;
  readonly duration_us: number;
}

interface BucketRow extends SumRow {
  readonly start: number;
  readonly method: string;
  readonly endpoint: string;
}

type Width = 'hour' | 'day';

const units: Readonly<Record<Width, number>> = { hour: hourMs, day: dayMs };

/** In hours or days: far enough, and small enough to be multiplied. */
const endOfTime = 1e9;

/** The sums lack these rows. Read in one statement with the sums, so that none is missed or doubled. */
const unsummed = `from usage_progress cross join usage_rows where ${isUnsummed}`;
const tailSums =
  'count(*) as calls, count(*) filter (where status between 1 and 399) as successes, sum(duration_us) as duration_us';
const sums = 'sum(calls) as calls, sum(successes) as successes, sum(duration_us) as duration_us';
const totals =
  'coalesce(sum(calls), 0) as calls, coalesce(sum(successes), 0) as successes, coalesce(sum(duration_us), 0) as duration_us';

const bucketsOf = (stored: string, rest: string): string => `
  select start, method, endpoint, ${sums} from (${stored} union all ${rest}) as buckets
    join usage_routes on usage_routes.number = buckets.route_number
  group by start, endpoint, method order by start, endpoint, method`;

/** Sums over stored sums and the rows that they lack: exact at any moment, cheap over any history. */
export class UsageSums {
  readonly #names: UsageNames;
  readonly #tail: UsageTail;
  readonly #total: PreparedStatement<SumRow>;
  readonly #byWorkspace: Readonly<Record<Width, PreparedStatement<BucketRow>>>;
  readonly #byKey: PreparedStatement<BucketRow>;

  constructor(connection: SqliteConnection, names: UsageNames, tail: UsageTail) {
    this.#names = names;
    this.#tail = tail;
    this.#total = connection.prepare(`select ${totals} from (
      select ${sums} from usage_days where workspace_number = ?1
      union all
      select ${tailSums} ${unsummed} and ?1 in (0, workspace_number))`);
    const byWorkspace = (table: string, start: string, unit: number) =>
      connection.prepare<BucketRow>(
        bucketsOf(
          `select ${start} as start, route_number, calls, successes, duration_us from ${table}
            where workspace_number = ?1 and ${start} >= ?2 and ${start} < ?3`,
          `select at_ms / ${unit}, route_number, ${tailSums} ${unsummed} and ?1 in (0, workspace_number)
            and at_ms / ${unit} >= ?2 and at_ms / ${unit} < ?3 group by 1, 2`,
        ),
      );
    this.#byWorkspace = {
      hour: byWorkspace('usage_hours', 'start_hour', hourMs),
      day: byWorkspace('usage_days', 'start_day', dayMs),
    };
    // Hours are the only sums of a key: ?4 of them make a bucket. ?5 is null for all workspaces, ?6
    // has the ids of its rows that are not rolled up. The casts are there because node:sqlite binds every
    // number as a real one.
    this.#byKey = connection.prepare(
      bucketsOf(
        `select start_hour / cast(?4 as integer) as start, route_number, ${sums} from usage_key_hours
          where key_number = ?1 and start_hour >= ?2 * ?4 and start_hour < ?3 * ?4
            and (?5 is null or workspace_number = ?5) group by 1, 2`,
        `select at_ms / (cast(?4 as integer) * ${hourMs}), route_number, ${tailSums}
          from usage_progress cross join json_each(?6)
            cross join usage_rows on usage_rows.id = json_each.value
          where ${isUnsummed}
            and at_ms / (cast(?4 as integer) * ${hourMs}) >= ?2 and at_ms / (cast(?4 as integer) * ${hourMs}) < ?3
            and (?5 is null or workspace_number = ?5) group by 1, 2`,
      ),
    );
  }

  total(workspaceId?: string): UsageSummary {
    const workspace = this.#workspace(workspaceId);
    const row = workspace === null ? undefined : this.#total.get(workspace);
    return toSummary(row ?? { calls: 0, successes: 0, duration_us: 0 });
  }

  summarize(
    filter: Pick<UsageFilter, 'workspaceId' | 'keyNumber' | 'fromMs' | 'toMs'>,
    by: Width,
  ): readonly UsageBucket[] {
    const { workspaceId, keyNumber, fromMs, toMs } = filter;
    const workspace = this.#workspace(workspaceId);
    if (workspace === null) return [];
    const unit = units[by];
    const first = fromMs === undefined ? 0 : Math.floor(fromMs / unit);
    const end = toMs === undefined ? endOfTime : Math.ceil(toMs / unit);
    const only = workspaceId === undefined ? null : workspace;
    const rows =
      keyNumber === undefined
        ? this.#byWorkspace[by].all(workspace, first, end)
        : this.#byKey.all(keyNumber, first, end, unit / hourMs, only, this.#unsummedIds(keyNumber));
    return rows.map((row) => ({
      startMs: row.start * unit,
      endpoint: row.endpoint,
      method: row.method,
      ...toSummary(row),
      ...(keyNumber === undefined ? {} : { keyNumber }),
    }));
  }

  /** As JSON. */
  #unsummedIds(keyNumber: number): string {
    const rows = this.#tail.rowsOf(keyNumber, this.#tail.refresh());
    return JSON.stringify(rows.map(({ id }) => id));
  }

  /** Null when no request was ever about it. */
  #workspace(workspaceId: string | undefined): number | null {
    return workspaceId === undefined ? noWorkspace : this.#names.knownWorkspaceNumber(workspaceId);
  }
}

const toSummary = ({ calls, successes, duration_us }: SumRow): UsageSummary => ({
  calls,
  successes,
  durationMs: duration_us / 1000,
});
