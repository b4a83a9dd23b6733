import type { DatabaseSync } from 'node:sqlite';
import { SandgateError } from '@sandgate/core';
import { readPragma } from '../read-pragma.ts';
import type { Migration } from './migration.ts';

/** "Sgat" in ASCII: tells a Sandgate database from any other file of SQLite's format. */
const applicationId = 0x53_67_61_74;

/**
 * Brings a database to the newest version, each migration in a transaction of its own. The version
 * is SQLite's `user_version`, which a transaction commits together with the tables. It is read
 * inside `begin immediate`, so that of two processes that open a database at once one migrates and
 * the other waits and finds the work done.
 * @throws SandgateError `storage_unavailable` for a file that a newer Sandgate or another program wrote
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0;
  // Ordinary starts find nothing to do, and do not wait for whoever is writing.
  if (requireKnownVersion(database, newest) === newest) return;
  for (const migration of migrations) {
    database.exec('begin immediate');
    try {
      if (requireKnownVersion(database, newest) < migration.version) {
        if (migration.editsSchema === true) editSchema(database, migration.sql);
        else database.exec(migration.sql);
        database.exec(`pragma application_id = ${applicationId}`);
        database.exec(`pragma user_version = ${migration.version}`);
      }
      database.exec('commit');
    } catch (error) {
      if (database.isTransaction) database.exec('rollback');
      throw error;
    }
  }
}

function requireKnownVersion(database: DatabaseSync, newest: number): number {
  const version = Number(readPragma(database, 'user_version'));
  const owner = Number(readPragma(database, 'application_id'));
  const tables = Number(database.prepare('select count(*) as n from sqlite_schema').get()?.n);
  const isNew = owner === 0 && version === 0 && tables === 0;
  if (!isNew && owner !== applicationId) {
    throw new SandgateError(
      'storage_unavailable',
      'This file is not a Sandgate database. Give the path of one, or of a file that is not there yet',
    );
  }
  if (version > newest) {
    throw new SandgateError(
      'storage_unavailable',
      `The database was written by a newer Sandgate: its schema is version ${version}, and this one knows up to ${newest}. Install that Sandgate again, or restore an older backup`,
    );
  }
  return version;
}

/** Inside a transaction. Other connections read the schema anew once its version has changed. */
function editSchema(database: DatabaseSync, sql: string): void {
  const version = Number(readPragma(database, 'schema_version'));
  allowSchemaEdits(database, true);
  try {
    database.exec(`pragma writable_schema = on; ${sql};
      pragma schema_version = ${version + 1}; pragma writable_schema = reset`);
    // Reads the new texts: one that does not parse fails here, and is undone.
    database.prepare('select count(*) from sqlite_schema').get();
  } finally {
    allowSchemaEdits(database, false);
  }
}

/** Some versions of Node protect the schema unless asked not to, and others cannot. */
function allowSchemaEdits(
  database: Partial<Pick<DatabaseSync, 'enableDefensive'>>,
  allow: boolean,
) {
  database.enableDefensive?.(!allow);
}
