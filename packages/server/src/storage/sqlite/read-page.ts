import type { Page, PageRequest } from '@sandgate/core';
import type { SelectQueryBuilder } from 'kysely';
import type { SandboxSchema } from './sandbox-schema.ts';
import type { Schema } from './schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

type PagedTable = 'sandboxes' | 'snapshots' | 'volumes';
export type Chosen<Table extends PagedTable> = SelectQueryBuilder<Schema, Table, object>;

/** One page of what was chosen, by id from the newest to the oldest: ids sort by time. */
export function readPage<Table extends PagedTable, Item extends { readonly id: string }>(
  connection: SqliteConnection,
  chosen: Chosen<Table>,
  { limit, offset, afterId }: PageRequest,
  toItem: (
    row: { readonly [Column in keyof SandboxSchema[Table]]: SandboxSchema[Table][Column] },
  ) => Item,
): Page<Item> {
  // Every one of these tables has an id; Kysely cannot tell that of a table that it knows as a parameter.
  const rows = chosen as unknown as SelectQueryBuilder<Schema, 'sandboxes', object>;
  const total = connection.first(rows.select((column) => column.fn.countAll<number>().as('rows')));
  const from = afterId === undefined ? rows : rows.where('id', '<', afterId);
  const found = connection.all(
    from
      .selectAll()
      .orderBy('id', 'desc')
      // One more tells whether there is a next page.
      .limit(limit + 1)
      .offset(offset ?? 0),
  );
  const items = found.slice(0, limit).map((row) => toItem(row as never));
  return {
    items,
    total: total?.rows ?? 0,
    nextAfterId: found.length > limit ? (items.at(-1)?.id ?? null) : null,
  };
}
