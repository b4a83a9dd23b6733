import { DatabaseSync } from 'node:sqlite';
import { SandgateError } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import { SqliteConnection } from './sqlite-connection.ts';
import { constraint, sqliteCode, toStorageFailure } from './storage-failure.ts';

const thrownBy = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
};

describe('toStorageFailure', () => {
  it.each([
    ['busy', 5],
    ['a WAL that is being recovered', 261],
    ['an I/O error', 10],
    ['a failed fsync', 1034],
    ['a damaged page', 11],
    ['a full disk', 13],
    ['a read-only database', 8],
    ['not a database', 26],
  ])('makes %s storage_unavailable, with the cause and its code', (_, errcode) => {
    const cause = Object.assign(new Error('told by SQLite'), { errcode });
    const failure = toStorageFailure(cause);
    expect(failure).toBeInstanceOf(SandgateError);
    expect(failure).toMatchObject({
      code: 'storage_unavailable',
      cause,
      detail: `SQLite result code ${errcode}: told by SQLite`,
    });
  });

  it('leaves every other error as it is', () => {
    const constraintError = Object.assign(new Error('unique'), { errcode: constraint.unique });
    for (const error of [constraintError, new Error('a bug'), 'text', null]) {
      expect(toStorageFailure(error)).toBe(error);
    }
  });
});

describe('a real failure', () => {
  const open = (): { database: DatabaseSync; connection: SqliteConnection } => {
    const database = new DatabaseSync(':memory:');
    database.exec('create table t (a integer primary key, b text unique)');
    return { database, connection: new SqliteConnection(database) };
  };

  it('of a full database undoes the transaction, and the connection goes on', () => {
    const { database, connection } = open();
    const insert = connection.prepare('insert into t (b) values (?)');
    database.exec('pragma max_page_count = 8');
    const fill = () =>
      connection.transaction('full', () => {
        for (let row = 0; row < 100; row += 1) insert.run(`${row} ${'x'.repeat(2000)}`);
      });
    expect(thrownBy(fill)).toMatchObject({ code: 'storage_unavailable' });
    database.exec('pragma max_page_count = 10000');
    expect(database.prepare('select count(*) as n from t').get()?.n).toBe(0);
    fill();
    expect(database.prepare('select count(*) as n from t').get()?.n).toBe(100);
    connection.close();
  });

  it('inside a transaction undoes what it did before', () => {
    const { database, connection } = open();
    const insert = connection.prepare('insert into t (b) values (?)');
    const error = thrownBy(() =>
      connection.transaction('normal', () => {
        insert.run('same');
        insert.run('same');
      }),
    );
    expect(sqliteCode(error)).toBe(constraint.unique);
    expect(database.isTransaction).toBe(false);
    expect(database.prepare('select count(*) as n from t').get()?.n).toBe(0);
    connection.close();
  });
});

it('changes of keys wait for the disk although uses do not', () => {
  const database = new DatabaseSync(':memory:');
  const connection = new SqliteConnection(database);
  const level = () => database.prepare('pragma synchronous').get()?.synchronous;
  expect(connection.transaction('normal', level)).toBe(1);
  expect(connection.transaction('full', level)).toBe(2);
  expect(connection.transaction('normal', level)).toBe(1);
  connection.close();
});
