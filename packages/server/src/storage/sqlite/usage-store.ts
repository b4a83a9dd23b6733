import type {
  NewUsageRow,
  UsageBatch,
  UsageBucket,
  UsageEnd,
  UsageFilter,
  UsagePage,
  UsageStore,
  UsageSummary,
} from '@sandgate/core';
import type { Durability, PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { AcceptedTimes } from './usage-accepted-times.ts';
import { UsageList } from './usage-list.ts';
import { UsageNames } from './usage-names.ts';
import { isSummed } from './usage-progress.ts';
import { type RolledUpRow, UsageRollUp } from './usage-roll-up.ts';
import { UsageSums } from './usage-sums.ts';
import type { UsageTail } from './usage-tail.ts';

const toMicroseconds = (milliseconds: number): number => Math.round(milliseconds * 1000);

export class SqliteUsageStore implements UsageStore {
  readonly #connection: SqliteConnection;
  readonly #tail: UsageTail;
  readonly #acceptedTimes: AcceptedTimes;
  readonly #durability: Durability;
  readonly #names: UsageNames;
  readonly #rollUp: UsageRollUp;
  readonly #list: UsageList;
  readonly #sums: UsageSums;
  readonly #insert: PreparedStatement<never>;
  readonly #end: PreparedStatement<RolledUpRow>;

  constructor(connection: SqliteConnection, tail: UsageTail, durability: Durability) {
    this.#connection = connection;
    this.#tail = tail;
    this.#acceptedTimes = new AcceptedTimes(connection, tail);
    this.#durability = durability;
    this.#names = new UsageNames(connection);
    this.#rollUp = new UsageRollUp(connection, tail, durability);
    this.#list = new UsageList(connection, this.#names);
    this.#sums = new UsageSums(connection, this.#names, tail);
    this.#insert = connection.prepare(`insert into usage_rows (key_number, workspace_number,
        route_number, request_id, status, accepted, error_code, duration_us, at_ms, sandbox_id,
        indexed)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`);
    this.#end = connection.prepare(`
      update usage_rows set status = ?2, error_code = ?3, duration_us = ?4,
        sandbox_id = coalesce(?5, sandbox_id)
      where id = ?1 and status = 0
      returning key_number, workspace_number, route_number, at_ms`);
  }

  async write({ begun, ended }: UsageBatch): Promise<readonly number[]> {
    if (this.#connection.held !== null) await this.#free();
    try {
      const ids = this.#connection.addUsage(this.#durability, () => {
        if (ended.length > 0) this.#storeEnds(ended);
        return begun.length > 0 ? this.#storeBeginnings(begun) : [];
      });
      this.#names.keep();
      if (ids[0] !== undefined) this.#tail.append(ids[0], begun);
      return ids;
    } catch (error) {
      this.#names.drop();
      throw error;
    }
  }

  async acceptedTimes(
    keyNumber: number,
    sinceMs: number,
    most: number,
  ): Promise<readonly number[]> {
    return this.#acceptedTimes.of(keyNumber, sinceMs, most);
  }

  async list(
    filter: UsageFilter,
    page: { readonly limit: number; readonly beforeId?: number },
  ): Promise<UsagePage> {
    return await this.#list.list(filter, page);
  }

  async total(workspaceId?: string): Promise<UsageSummary> {
    return this.#sums.total(workspaceId);
  }

  async summarize(
    filter: Pick<UsageFilter, 'workspaceId' | 'keyNumber' | 'fromMs' | 'toMs'>,
    by: 'hour' | 'day',
  ): Promise<readonly UsageBucket[]> {
    return this.#sums.summarize(filter, by);
  }

  async rollUp(mostRows: number): Promise<boolean> {
    await this.#free();
    const more = this.#rollUp.rollUp(mostRows);
    this.#tail.forget(this.#rollUp.progress().rolled_up_to);
    return more;
  }

  async prune(beforeMs: number, mostRows: number): Promise<boolean> {
    await this.#free();
    return this.#rollUp.prune(beforeMs, mostRows);
  }

  async #free(): Promise<void> {
    for (let { held } = this.#connection; held !== null; { held } = this.#connection) await held;
  }

  /** Each id is one more than the one before: the transaction holds the write lock. */
  #storeBeginnings(begun: readonly NewUsageRow[]): readonly number[] {
    return begun.map((row) =>
      this.#insert.insert(
        row.keyNumber,
        this.#names.workspaceNumber(row.workspaceId),
        this.#names.routeNumber(row.method, row.endpoint),
        row.requestId,
        row.status,
        row.accepted ? 1 : 0,
        row.errorCode,
        // Its end adds the whole duration.
        row.status === 0 ? 0 : toMicroseconds(row.durationMs),
        row.atMs,
        row.sandboxId,
      ),
    );
  }

  #storeEnds(ended: readonly UsageEnd[]): void {
    const progress = this.#rollUp.progress();
    for (const { id, status, errorCode, durationMs, sandboxId } of ended) {
      const durationUs = toMicroseconds(durationMs);
      const row = this.#end.get(id, status, errorCode, durationUs, sandboxId);
      if (row === undefined || !isSummed(progress, row.key_number, id)) continue;
      this.#rollUp.correct(row, status > 0 && status < 400, durationUs);
    }
  }
}
