import type { DatabaseSync } from 'node:sqlite';

/** The value of a setting of SQLite's, such as `user_version` or `journal_mode`. */
export function readPragma(database: DatabaseSync, name: string): unknown {
  const row = database.prepare(`pragma ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
