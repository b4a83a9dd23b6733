import type { KeyQuery } from '@sandgate/core';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';

const dayMs = 86_400_000;
/** Stands for every workspace in `key_counts`; an empty one for keys of no single workspace. */
const everyWorkspace = '*';

interface Counted {
  readonly keys: number | null;
}

/** The counts that triggers keep: of living keys, and of active ones by the day on which they expire. */
export class KeyCounts {
  readonly #living: PreparedStatement<Counted>;
  readonly #active: PreparedStatement<Counted>;

  constructor(connection: SqliteConnection) {
    this.#living = connection.prepare(
      `select sum(keys) as keys from key_counts where workspace_id = ? and state = 'living'`,
    );
    // Of the day that it is now, each key is looked at.
    const today = `select count(*) from api_keys
      where revoked_at_ms is null and enabled = 1 and expires_at_ms > ?3 and expires_at_ms < ?4`;
    this.#active = connection.prepare(`
      select coalesce(sum(keys), 0) + case ?1 when '${everyWorkspace}' then (${today})
          else (${today} and workspace_id is nullif(?1, '')) end as keys
        from key_counts
        where workspace_id = ?1 and state = 'enabled' and (expires_day = -1 or expires_day > ?2)`);
  }

  /** Null for what is not counted ahead. */
  count({ workspaceId, state, search, parentNumber, nowMs }: KeyQuery): number | null {
    if (search !== undefined || parentNumber !== undefined) return null;
    const workspace = workspaceId === undefined ? everyWorkspace : (workspaceId ?? '');
    if (state === undefined) return this.#living.get(workspace)?.keys ?? 0;
    if (state !== 'active') return null;
    const day = Math.floor(nowMs / dayMs);
    return this.#active.get(workspace, day, nowMs, (day + 1) * dayMs)?.keys ?? 0;
  }
}
