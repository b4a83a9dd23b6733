import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { storeKey } from '../contract/sample-records.ts';
import { sampleUsage } from '../contract/usage-contract.ts';
import { allMigrations } from './migrations/all-migrations.ts';
import { migrate } from './migrations/migrate.ts';
import { openSqliteStorage } from './open-sqlite-storage.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-usage-'));
  file = join(folder, 'sandgate.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const integrity = (database: DatabaseSync): unknown =>
  database.prepare('pragma integrity_check').get()?.integrity_check;

it('finds what was stored while every row was indexed at once, rolled up or not', async () => {
  const database = new DatabaseSync(file);
  migrate(database, allMigrations.slice(0, 6));
  database.exec(`
    insert into usage_routes values (1, 'GET', '/old');
    insert into usage_rows values
      (1, 7, 0, 1, 'a', 200, 1, null, 5, 1000, null), (2, 8, 0, 1, 'b', 200, 1, null, 5, 1001, null),
      (3, 7, 0, 1, 'c', 200, 1, null, 5, 1002, null), (4, 7, 0, 1, 'd', 429, 0, null, 5, 1003, null);
    insert into usage_key_hours values (7, 0, 1, 0, 1, 1, 5), (8, 0, 1, 0, 1, 1, 5);
    insert into usage_blocks values (0, 1000, 1001);
    update usage_progress set rolled_up_to = 2`);
  const storage = await openSqliteStorage({ file });
  const { usage } = storage;
  await usage.write({
    begun: [sampleUsage({ keyNumber: 7, endpoint: '/old', atMs: 1004 })],
    ended: [],
  });
  const ids = async () =>
    (await usage.list({ keyNumber: 7 }, { limit: 9 })).rows.map(({ id }) => id);
  for (let round = 0; round < 3; round += 1) {
    expect(await usage.acceptedTimes(7, 0, 9)).toEqual([1000, 1002, 1004]);
    expect(await usage.acceptedTimes(8, 0, 9)).toEqual([1001]);
    expect(await ids()).toEqual([5, 4, 3, 1]);
    const [hour] = await usage.summarize({ keyNumber: 7 }, 'hour');
    expect(hour).toMatchObject({ calls: 4, successes: 3 });
    await usage.rollUp(2);
  }
  expect(integrity(database)).toBe('ok');
  await storage.close();
  database.close();
});

it('holds a row in the index by key from its roll-up on, and not before', async () => {
  const storage = await openSqliteStorage({ file });
  const beside = new DatabaseSync(file);
  const indexed = () =>
    beside
      .prepare(
        'select count(*) as rows from usage_rows indexed by usage_rows_by_key where indexed = 1',
      )
      .get()?.rows;
  await storage.usage.write({
    begun: [1, 2, 3].map((keyNumber) => sampleUsage({ keyNumber })),
    ended: [],
  });
  expect(indexed()).toBe(0);
  await storage.usage.rollUp(2);
  expect(indexed()).toBe(2);
  await storage.usage.rollUp(2);
  expect(indexed()).toBe(3);
  expect(integrity(beside)).toBe('ok');
  beside.close();
  await storage.close();
});

it('tells the times of a key that was used, itself or by a child, and of a person', async () => {
  const storage = await openSqliteStorage({ file });
  await storage.serverKeys.replace('fingerprint', 1);
  const parent = await storeKey(storage, 1);
  const child = await storeKey(storage, 2, 'child', { parentNumber: parent.number });
  const { usage } = storage;
  const times = (keyNumber: number) => usage.acceptedTimes(keyNumber, 100, 9);
  for (const [keyNumber, atMs] of [
    [child.number, 99],
    [-1, 100],
  ] as const) {
    await usage.write({ begun: [sampleUsage({ keyNumber, atMs })], ended: [] });
    await usage.rollUp(9);
  }
  expect([await times(parent.number), await times(child.number), await times(-1)]).toEqual([
    [],
    [],
    [100],
  ]);
  await usage.write({ begun: [sampleUsage({ keyNumber: child.number, atMs: 101 })], ended: [] });
  for (let round = 0; round < 2; round += 1) {
    expect([await times(parent.number), await times(child.number)]).toEqual([[101], [101]]);
    await usage.rollUp(9);
  }
  await storage.close();
});

it('finds what is as new as a later row that was rolled up before it', async () => {
  const storage = await openSqliteStorage({ file });
  const { usage } = storage;
  const freshMs = 600_000;
  // Rolled up key by key: the last fresh row is in a block of its own, and comes first.
  const begun = Array.from({ length: 9_000 }, (_, index) =>
    sampleUsage({
      keyNumber: index < 4 || index % 2 === 1 ? 2 : 1,
      atMs: index < 4 || index === 8_990 ? freshMs : 1,
    }),
  );
  await usage.write({ begun, ended: [] });
  const counted = async () => [
    (await usage.acceptedTimes(1, freshMs, 9)).length,
    (await usage.acceptedTimes(2, freshMs, 9)).length,
    (await usage.summarize({ keyNumber: 1 }, 'day'))[0]?.calls,
    (await usage.summarize({ keyNumber: 2 }, 'day'))[0]?.calls,
    (await usage.total()).calls,
  ];
  const all = [1, 4, 4_498, 4_502, 9_000];
  expect(await usage.rollUp(4_495)).toBe(true);
  expect(await counted()).toEqual(all);
  while (await usage.rollUp(4_495)) expect(await counted()).toEqual(all);
  expect(await counted()).toEqual(all);
  await storage.close();
});
