import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The one database of a folder. */
export function databaseIn(folder: string): string {
  const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.db'));
  return join(folder, file);
}

/** Everything stored in a folder's database but who called and what was recorded of it. */
export function storedState(folder: string): string {
  const database = new DatabaseSync(databaseIn(folder), { readOnly: true });
  try {
    const tables = database
      .prepare("select name from sqlite_master where type = 'table' order by name")
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !/^(usage_|audit|sqlite_)/.test(name));
    return JSON.stringify(
      tables.map((name) => [name, database.prepare(`select * from "${name}"`).all()]),
      (key, value) => (key === 'usage_count' || key === 'last_used_at_ms' ? null : value),
    );
  } finally {
    database.close();
  }
}
