import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { allMigrations } from './migrations/all-migrations.ts';
import { migrate } from './migrations/migrate.ts';

interface TableDescription {
  readonly columns: readonly string[];
  readonly indexes: readonly string[];
}

const page = readFileSync(
  join(import.meta.dirname, '../../../../../docs/storage-schema.md'),
  'utf8',
);
const database = new DatabaseSync(':memory:');
migrate(database, allMigrations);
afterAll(() => database.close());

const namesOf = (kind: 'table' | 'index', table: string): string[] =>
  database
    .prepare(
      `select name from sqlite_schema
       where type = ? and tbl_name like ? and name not like 'sqlite\\_%' escape '\\'
       order by name`,
    )
    .all(kind, table)
    .map(({ name }) => String(name));

const describedTables = Object.fromEntries(
  page
    .split(/^## /m)
    .slice(1)
    .map((section): [string, TableDescription] => [
      section.slice(0, section.indexOf('\n')),
      {
        columns: [...section.matchAll(/^\| `(\w+)` \| (\w+) \| (yes|no) \| .+ \|$/gm)].map(
          ([, name, type, nullable]) => `${name} ${type} ${nullable}`,
        ),
        indexes: [...section.matchAll(/^\| `(\w+)` \| [^|]+ \|$/gm)].map(([, name]) => name ?? ''),
      },
    ]),
);

describe('docs/storage-schema.md', () => {
  it('has a section for each table, and for nothing else', () => {
    expect(Object.keys(describedTables).toSorted()).toEqual(namesOf('table', '%'));
  });

  it.each(namesOf('table', '%'))(
    'has the columns of %s in order, with type and nullability',
    (table) => {
      const columns = database
        .prepare(
          `select name, lower(type) as type, "notnull" as required from pragma_table_xinfo(?)`,
        )
        .all(table)
        .map(({ name, type, required }) => `${name} ${type} ${required === 1 ? 'no' : 'yes'}`);
      expect(describedTables[table]?.columns).toEqual(columns);
    },
  );

  it.each(namesOf('table', '%'))('has the indexes of %s', (table) => {
    expect(describedTables[table]?.indexes).toEqual(namesOf('index', table));
  });
});
