import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleDigest } from '../../contract/sample-records.ts';
import { openSqliteStorage } from '../open-sqlite-storage.ts';
import { readPragma } from '../read-pragma.ts';
import { secretsByNumber } from './0014-secrets-by-number.ts';
import { allMigrations } from './all-migrations.ts';
import { migrate } from './migrate.ts';

let folder: string;
let file: string;
let database: DatabaseSync;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-sqlite-'));
  file = join(folder, 'sandgate.db');
  database = new DatabaseSync(file);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const schemaOf = (of: DatabaseSync): unknown =>
  of.prepare('select type, name, tbl_name, sql from sqlite_schema order by name').all();
const newest = allMigrations.length;

describe('the list of migrations', () => {
  it('numbers them from 1 without gaps', () => {
    expect(allMigrations.map(({ version }) => version)).toEqual(
      Array.from({ length: newest }, (_, index) => index + 1),
    );
  });

  it.each(allMigrations.map(({ version }) => version - 1))(
    'brings a database of version %i to the schema of a new one',
    async (version) => {
      migrate(database, allMigrations.slice(0, version));
      expect(readPragma(database, 'user_version')).toBe(version);
      await (await openSqliteStorage({ file })).close();

      const fresh = new DatabaseSync(':memory:');
      migrate(fresh, allMigrations);
      expect(schemaOf(database)).toEqual(schemaOf(fresh));
      expect(readPragma(database, 'user_version')).toBe(newest);
      fresh.close();
    },
  );
});

describe('migrate', () => {
  const first = { version: 1, sql: 'create table a (x integer) strict; insert into a values (7)' };
  const second = { version: 2, sql: 'alter table a add column y integer' };

  it('runs each migration once, on the rows that are there', () => {
    migrate(database, [first]);
    migrate(database, [first, second]);
    migrate(database, [first, second]);
    expect(database.prepare('select * from a').all()).toEqual([{ x: 7, y: null }]);
    expect(readPragma(database, 'user_version')).toBe(2);
  });

  it('undoes a migration that fails halfway, keeps those before it, and can be run again', () => {
    const broken = {
      version: 2,
      sql: 'create table b (x integer) strict; insert into c values (1)',
    };
    expect(() => migrate(database, [first, broken])).toThrow('no such table: c');
    expect(readPragma(database, 'user_version')).toBe(1);
    expect(schemaOf(database)).toHaveLength(1);
    migrate(database, [first, second]);
    expect(readPragma(database, 'user_version')).toBe(2);
  });

  it('changes the texts of the schema itself, for every connection, and undoes one that does not parse', () => {
    migrate(database, [first]);
    const other = new DatabaseSync(file);
    const readOther = () => other.prepare('select * from a').all();
    expect(readOther()).toEqual([{ x: 7 }]);
    const edit = (version: number, text: string) => ({
      version,
      editsSchema: true,
      sql: `update sqlite_schema set sql = replace(sql, 'x integer', '${text}')`,
    });
    const added = edit(2, 'x integer, y integer not null default 1');
    migrate(database, [first, added]);
    expect(readOther()).toEqual([{ x: 7, y: 1 }]);
    expect(() => migrate(database, [first, added, edit(3, 'x integer, x')])).toThrow('duplicate');
    expect(readPragma(database, 'user_version')).toBe(2);
    expect(database.prepare('select * from a').all()).toEqual([{ x: 7, y: 1 }]);
    expect(readOther()).toEqual([{ x: 7, y: 1 }]);
    other.close();
  });

  it('refuses a database of a newer Sandgate, says so, and leaves it as it is', async () => {
    migrate(database, [...allMigrations, { version: newest + 1, sql: 'create table later (x)' }]);
    const before = schemaOf(database);
    const opened = openSqliteStorage({ file });
    await expect(opened).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(opened).rejects.toThrow(
      `written by a newer Sandgate: its schema is version ${newest + 1}, and this one knows up to ${newest}`,
    );
    expect(schemaOf(database)).toEqual(before);
  });

  it('refuses the database of another program, and leaves it as it is', async () => {
    database.exec('create table theirs (x); pragma user_version = 1');
    const before = schemaOf(database);
    await expect(openSqliteStorage({ file })).rejects.toThrow('not a Sandgate database');
    expect(schemaOf(database)).toEqual(before);
  });
});

it('goes on finding the keys whose secrets named them by id', async () => {
  migrate(database, allMigrations.slice(0, allMigrations.indexOf(secretsByNumber)));
  const digest = sampleDigest('a');
  database.exec(`insert into server_keys values (1, 'f', 0);
    insert into api_keys (id, revision, lineage_id, name, description, prefix, last_four, scopes,
      address_allow_list, enabled, created_at_ms, usage_count) values
      ('other', 1, 'other', 'b', '', 'msb_', 'abcd', '[]', '[]', 1, 0, 0),
      ('mine', 1, 'mine', 'a', '', 'msb_', 'abcd', '[]', '[]', 1, 0, 0)`);
  database
    .prepare("insert into api_key_secrets values (?, 'mine', 1, 5, 9000000000000)")
    .run(digest);
  const storage = await openSqliteStorage({ file });
  const found = await storage.keys.findByDigest(digest);
  expect(found).toMatchObject({
    key: { id: 'mine', number: 2 },
    secret: { keyId: 'mine', serverKeyVersion: 1, createdAtMs: 5, validUntilMs: 9e12 },
  });
  await storage.keys.revoke('mine', 10);
  expect(await storage.keys.findByDigest(digest)).toBeNull();
  await storage.close();
});
