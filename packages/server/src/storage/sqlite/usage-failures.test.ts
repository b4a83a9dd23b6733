import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NewUsageRow } from '@sandgate/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleUsage } from '../contract/usage-contract.ts';
import { Checkpointer } from './checkpointer.ts';
import { allMigrations } from './migrations/all-migrations.ts';
import { migrate } from './migrations/migrate.ts';
import { openSqliteStorage } from './open-sqlite-storage.ts';
import { SqliteConnection, type WriteAheadLog } from './sqlite-connection.ts';
import { SqliteUsageStore } from './usage-store.ts';
import { UsageTail } from './usage-tail.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-usage-'));
  file = join(folder, 'sandgate.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function storeOver(database: DatabaseSync, log?: WriteAheadLog): SqliteUsageStore {
  const connection = new SqliteConnection(database, log);
  return new SqliteUsageStore(connection, new UsageTail(connection), 'normal');
}

const rows = (count: number, changes: Partial<NewUsageRow> = {}): readonly NewUsageRow[] =>
  Array.from({ length: count }, () => sampleUsage(changes));

it('stores nothing of a batch that the disk has no room for, and goes on when there is room', async () => {
  const database = new DatabaseSync(file);
  database.exec('pragma journal_mode = wal');
  migrate(database, allMigrations);
  const usage = storeOver(database);
  const [open = 0] = await usage.write({ begun: [sampleUsage({ status: 0 })], ended: [] });
  // What migrations have freed is room too.
  database.exec('vacuum');
  const pages = Number(database.prepare('pragma page_count').get()?.page_count);
  database.exec(`pragma max_page_count = ${pages + 4}`);
  const batch = {
    begun: rows(500, { endpoint: '/new', workspaceId: 'new' }),
    ended: [{ id: open, status: 200, errorCode: null, durationMs: 1, sandboxId: null }],
  };
  await expect(usage.write(batch)).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await usage.total()).toMatchObject({ calls: 1, successes: 0 });

  database.exec(`pragma max_page_count = ${pages + 1000}`);
  await usage.write(batch);
  expect(await usage.total()).toMatchObject({ calls: 501, successes: 501 });
  expect((await usage.list({ workspaceId: 'new' }, { limit: 1 })).rows).toMatchObject([
    { endpoint: '/new', workspaceId: 'new' },
  ]);
  database.close();
});

it('counts nothing of a roll-up that the disk has no room for, and all of it the next time', async () => {
  const database = new DatabaseSync(file);
  database.exec('pragma journal_mode = wal');
  migrate(database, allMigrations);
  const usage = storeOver(database);
  const begun = Array.from({ length: 2000 }, (_, index) => sampleUsage({ keyNumber: index }));
  await usage.write({ begun, ended: [] });
  const pages = Number(database.prepare('pragma page_count').get()?.page_count);
  database.exec(`pragma max_page_count = ${pages + 2}`);
  await expect(usage.rollUp(2000)).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await usage.total()).toMatchObject({ calls: 2000 });
  database.exec(`pragma max_page_count = ${pages + 1000}`);
  while (await usage.rollUp(2000));
  expect(await usage.total()).toMatchObject({ calls: 2000 });
  database.close();
});

it('refuses a batch while another process holds the lock, and stores it once when it is gone', async () => {
  const storage = await openSqliteStorage({ file, busyTimeoutMs: 50 });
  const beside = new DatabaseSync(file);
  beside.exec('begin immediate');
  const batch = { begun: rows(3), ended: [] };
  await expect(storage.usage.write(batch)).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(storage.usage.rollUp(10)).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await storage.usage.total()).toMatchObject({ calls: 0 });
  beside.exec('rollback');
  beside.close();
  await storage.usage.write(batch);
  expect(await storage.usage.total()).toMatchObject({ calls: 3 });
  await storage.close();
});

it('begins the log anew under steady writes, loses nothing, and leaves a sound file', async () => {
  const database = new DatabaseSync(file);
  database.exec('pragma journal_mode = wal');
  migrate(database, allMigrations);
  const checkpointer = new Checkpointer(file, { largePages: 500, hugePages: 500 });
  const usage = storeOver(database, checkpointer);
  let held = 0;
  let batches = 0;
  for (; held === 0 || batches < 100; batches += 1) {
    await usage.write({ begun: rows(4_000, { keyNumber: batches }), ended: [] });
    await nextTurn();
    if (checkpointer.held !== null) held += 1;
  }
  await usage.write({ begun: [sampleUsage()], ended: [] });
  expect(checkpointer.held).toBeNull();
  await checkpointer.close();
  // How often it was begun anew: https://sqlite.org/fileformat.html#the_write_ahead_log
  expect(readFileSync(`${file}-wal`).readUInt32BE(12)).toBeGreaterThan(0);
  database.close();
  const beside = new DatabaseSync(file);
  expect(beside.prepare('select count(*) as n from usage_rows').get()?.n).toBe(batches * 4_000 + 1);
  expect(beside.prepare('pragma integrity_check').get()?.integrity_check).toBe('ok');
  beside.close();
});

it('waits with what is written while the log is begun anew, and then stores all of it', async () => {
  const database = new DatabaseSync(file);
  migrate(database, allMigrations);
  let free: () => void = () => undefined;
  const log = {
    committed: () => undefined,
    held: new Promise<void>((resolve) => {
      free = resolve;
    }) as Promise<void> | null,
  };
  const usage = storeOver(database, log);
  const writes = ['/first', '/second'].map((endpoint) =>
    usage.write({ begun: [sampleUsage({ endpoint })], ended: [] }),
  );
  const rolledUp = usage.rollUp(10);
  await nextTurn();
  expect(await usage.total()).toMatchObject({ calls: 0 });
  log.held = null;
  free();
  expect(await Promise.all(writes)).toEqual([[1], [2]]);
  await rolledUp;
  expect(await usage.total()).toMatchObject({ calls: 2 });
  database.close();
});
