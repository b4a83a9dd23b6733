import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SandgateError } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeKey } from '../contract/sample-records.ts';
import { openSqliteStorage } from './open-sqlite-storage.ts';
import { readPragma } from './read-pragma.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-sqlite-'));
  file = join(folder, 'sandgate.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const modes = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [
      name,
      (statSync(join(folder, name)).mode & 0o777).toString(8),
    ]),
  );

const failureOf = async (promise: Promise<unknown>): Promise<SandgateError> => {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SandgateError) return error;
  throw new Error('expected a SandgateError', { cause: error });
};

describe('the database file', () => {
  const ownerOnly = { 'sandgate.db': '600', 'sandgate.db-shm': '600', 'sandgate.db-wal': '600' };

  it.each(['000', '022', '277'])(
    'and what lies beside it is its owner’s alone under umask %s',
    async (mask) => {
      const previous = process.umask(Number.parseInt(mask, 8));
      try {
        const storage = await openSqliteStorage({ file });
        await storage.serverKeys.replace('server key', 1);
        expect(modes()).toEqual(ownerOnly);
        await storage.close();
      } finally {
        process.umask(previous);
      }
    },
  );

  it('is closed to others when it was left open to them', async () => {
    const first = await openSqliteStorage({ file });
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
    const second = await openSqliteStorage({ file });
    expect(modes()).toEqual(ownerOnly);
    await second.close();
    await first.close();
  });

  it('is the only file left when the last connection closes', async () => {
    const first = await openSqliteStorage({ file });
    const second = await openSqliteStorage({ file });
    await first.close();
    await second.close();
    expect(readdirSync(folder)).toEqual(['sandgate.db']);
  });

  it('is opened in WAL mode, with foreign keys enforced', async () => {
    const storage = await openSqliteStorage({ file });
    const beside = new DatabaseSync(file);
    expect(readPragma(beside, 'journal_mode')).toBe('wal');
    beside.close();
    await storage.close();
  });
});

describe('a database that cannot be opened', () => {
  it('because its folder is missing is storage_unavailable, the path told to the operator alone', async () => {
    const error = await failureOf(openSqliteStorage({ file: join(folder, 'missing', 'a.db') }));
    expect(error.code).toBe('storage_unavailable');
    expect(error.message).not.toContain(folder);
    expect(error.detail).toContain(folder);
  });

  it('because it is a folder is storage_unavailable', async () => {
    mkdirSync(file);
    expect(await failureOf(openSqliteStorage({ file }))).toMatchObject({
      code: 'storage_unavailable',
    });
  });

  it('because it is no database is storage_unavailable, and the file is left as it is', async () => {
    writeFileSync(
      file,
      'This is not a database, but it is long enough to look like one.'.repeat(40),
    );
    const { size } = statSync(file);
    const error = await failureOf(openSqliteStorage({ file }));
    expect(error).toMatchObject({ code: 'storage_unavailable' });
    expect(error.message).toContain('not a database');
    expect(statSync(file).size).toBe(size);
  });
});

describe('a locked database', () => {
  it('is storage_unavailable to a writer after the busy timeout, and serves readers meanwhile', async () => {
    const storage = await openSqliteStorage({ file, busyTimeoutMs: 100 });
    await storage.serverKeys.replace('server key', 1);
    const beside = new DatabaseSync(file);
    beside.exec('begin exclusive');

    const startedAtMs = performance.now();
    const error = await failureOf(storeKey(storage, 1));
    const waitedMs = performance.now() - startedAtMs;
    expect(error.code).toBe('storage_unavailable');
    expect(error.message).toContain('locked by another process');
    expect(error.cause).toBeInstanceOf(Error);
    expect(waitedMs).toBeGreaterThan(50);
    expect(waitedMs).toBeLessThan(2000);
    expect(await storage.serverKeys.current()).toMatchObject({ version: 1 });

    beside.exec('rollback');
    beside.close();
    expect(await storeKey(storage, 1)).toMatchObject({ number: 1 });
    await storage.close();
  });

  it('that nobody else may even read is storage_unavailable to open, within the busy timeout', async () => {
    await (await openSqliteStorage({ file })).close();
    const owner = new DatabaseSync(file);
    owner.exec('pragma locking_mode = exclusive; begin exclusive');
    const startedAtMs = performance.now();
    const error = await failureOf(openSqliteStorage({ file, busyTimeoutMs: 100 }));
    expect(error.code).toBe('storage_unavailable');
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    owner.close();
    await (await openSqliteStorage({ file })).close();
  });
});
