import { DatabaseSync } from 'node:sqlite';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';

export interface LargeDatabaseOptions {
  /** Made, with its schema; must not be there yet. */
  readonly file: string;
  readonly keys: number;
  readonly usageRows: number;
  /** Of the server key that the digests are made with. */
  readonly fingerprint: string;
  /** Digest of the text of a key, which has what number. */
  readonly digestOf: (keyNumber: number) => Uint8Array;
  /** The last usage row is this old; the others spread evenly over the days before. */
  readonly newestAtMs: number;
  readonly days?: number;
  readonly workspaces?: number;
  readonly onProgress?: (message: string) => void;
}

const dayMs = 86_400_000;
const idDigits = 24;
const endpoints = [
  ['GET', '/api/v1/api-keys'],
  ['GET', '/api/v1/api-keys/{id}'],
  ['POST', '/api/v1/api-keys'],
  ['GET', '/api/v1/me'],
  ['POST', '/api/v1/rpc#sandbox.start'],
  ['POST', '/api/v1/rpc#sandbox.stop'],
  ['POST', '/api/v1/rpc#sandbox.repl.run'],
  ['POST', '/api/v1/rpc#sandbox.command.run'],
] as const;

/**
 * A database as a busy server has it: keys in workspaces, and usage of random keys, rolled up. Key
 * `n` is number `n`, under server key 1. Not safe against power failures while it is made.
 */
export async function createLargeDatabase(options: LargeDatabaseOptions): Promise<void> {
  const { file, keys, usageRows, newestAtMs, days = 30, workspaces = 1000 } = options;
  const { onProgress = () => undefined } = options;
  const storage = await openSqliteStorage({ file });
  await storage.serverKeys.replace(options.fingerprint, 1);
  await storage.close();
  const database = new DatabaseSync(file);
  database.exec(`pragma synchronous = off; pragma journal_mode = off; pragma cache_size = -1000000;
    pragma temp_store = memory; pragma locking_mode = exclusive; begin`);
  fillWorkspaces(database, workspaces, newestAtMs - days * dayMs);
  onProgress(`${keys} keys`);
  fillKeys(database, { ...options, workspaces, days });
  fillUsage(database, { keys, usageRows, newestAtMs, days, workspaces, onProgress });
  database.exec('commit; analyze; pragma journal_mode = wal');
  database.close();
}

const idOf = (number: string): string => `printf('%0${idDigits}x', ${number})`;

function fillWorkspaces(database: DatabaseSync, workspaces: number, createdAtMs: number): void {
  database.exec(`
    insert into workspaces (id, uuid, slug, name, plan, created_at_ms)
      with recursive n (i) as (select 1 union all select i + 1 from n where i < ${workspaces})
      select ${idOf('i')}, printf('00000000-0000-4000-8000-%012x', i), 'team-' || i, 'Team ' || i,
        'standard', ${createdAtMs} from n;
    insert into usage_workspaces (number, workspace_id)
      select cast(substr(slug, 6) as integer), id from workspaces`);
}

function fillKeys(
  database: DatabaseSync,
  options: LargeDatabaseOptions & { readonly workspaces: number; readonly days: number },
): void {
  const { keys, workspaces, digestOf, newestAtMs, days } = options;
  const createdAtMs = newestAtMs - days * dayMs;
  database.exec(`
    insert into api_keys (number, id, revision, lineage_id, name, description, prefix, last_four,
        workspace_id, scopes, address_allow_list, enabled, created_at_ms, usage_count, limits)
      with recursive n (i) as (select 1 union all select i + 1 from n where i < ${keys})
      select i, ${idOf('i')}, 1, ${idOf('i')}, 'key ' || i, 'made for a benchmark', 'msb_', 'abcd',
        ${idOf(`1 + i % ${workspaces}`)}, '["*"]', '[]', 1, ${createdAtMs}, 0,
        '{"minute":100000,"hour":1000000,"day":10000000}' from n`);
  // The operator's own key, so that nobody has to be asked for one.
  database.exec('update api_keys set workspace_id = null where number = 1');
  // In the order of the digests: the table is sorted by them, and grows at its end this way.
  const digests = Array.from({ length: keys }, (_, index) => ({
    number: index + 1,
    digest: Buffer.from(digestOf(index + 1)),
  })).toSorted((one, other) => Buffer.compare(one.digest, other.digest));
  const insert = database.prepare(`insert into api_key_secrets
    (digest, key_number, server_key_version, created_at_ms) values (?, ?, 1, ?)`);
  for (const { number, digest } of digests) insert.run(digest, number, createdAtMs);
}

interface UsageSize {
  readonly keys: number;
  readonly usageRows: number;
  readonly newestAtMs: number;
  readonly days: number;
  readonly workspaces: number;
  readonly onProgress: (message: string) => void;
}

const rowsAtOnce = 1_000_000;

/** The sums are made at once, by the rules that roll-ups follow row by row. */
function fillUsage(
  database: DatabaseSync,
  { keys, usageRows, newestAtMs, days, workspaces, onProgress }: UsageSize,
): void {
  const route = database.prepare('insert into usage_routes (method, endpoint) values (?, ?)');
  for (const [method, endpoint] of endpoints) route.run(method, endpoint);
  const spreadMs = days * dayMs;
  const sums = 'count(*), count(*) filter (where status between 1 and 399), sum(duration_us)';
  // Knuth's multiplicative hash scatters the keys; each row is a call of one of them.
  const hash = 'i * 2654435761 % 4294967296';
  const insertRows = (first: number, last: number): string => `
    insert into usage_rows (id, key_number, workspace_number, route_number, request_id, status,
        accepted, error_code, duration_us, at_ms, sandbox_id, indexed)
      with recursive
        n (i) as (select ${first} union all select i + 1 from n where i < ${last}),
        scattered (i, h) as (select i, ${hash} from n),
        of_key (i, h, k) as (select i, h, 1 + h % ${keys} from scattered)
      select i, k, 1 + k % ${workspaces}, 1 + h / 7 % ${endpoints.length}, printf('%016x', h),
        case when h % 50 = 0 then 429 when h % 31 = 0 then 500 else 200 end, h % 50 <> 0,
        case when h % 50 = 0 then 'rate_limited' end, 500 + h % 20000,
        ${newestAtMs} - cast(${spreadMs} * (1.0 - i / ${usageRows}.0) as integer), null, 1 from of_key`;
  database.exec('drop index usage_rows_by_key');
  for (let first = 1; first <= usageRows; first += rowsAtOnce) {
    const last = Math.min(first + rowsAtOnce - 1, usageRows);
    database.exec(insertRows(first, last));
    onProgress(`${last} of ${usageRows} usage rows`);
  }
  const steps: Readonly<Record<string, string>> = {
    'index by key': `create index usage_rows_by_key on usage_rows (key_number, accepted, id, at_ms)
      where indexed = 1`,
    'sums by key and hour': `insert into usage_key_hours
      select key_number, at_ms / 3600000, route_number, workspace_number, ${sums}
      from usage_rows group by 1, 2, 3, 4`,
    'sums by hour and day': `
      insert into usage_hours select workspace_number, start_hour, route_number, sum(calls),
        sum(successes), sum(duration_us) from usage_key_hours group by 1, 2, 3;
      insert into usage_hours select 0, start_hour, route_number, sum(calls), sum(successes),
        sum(duration_us) from usage_hours group by 2, 3;
      insert into usage_days select workspace_number, start_hour / 24, route_number, sum(calls),
        sum(successes), sum(duration_us) from usage_hours group by 1, 2, 3`,
    'use of keys': `
      insert into usage_blocks select id / 8192, min(at_ms), max(at_ms) from usage_rows group by 1;
      update api_keys set usage_count = used.calls, last_used_at_ms = used.last_at_ms from
        (select key_number, count(*) as calls, max(at_ms) as last_at_ms
          from usage_rows indexed by usage_rows_by_key
          where accepted = 1 and indexed = 1 group by key_number) as used
        where number = used.key_number;
      update usage_progress set rolled_up_to = ${usageRows}`,
  };
  for (const [what, sql] of Object.entries(steps)) {
    onProgress(what);
    database.exec(sql);
  }
}
