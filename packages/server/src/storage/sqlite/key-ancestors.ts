import type { ApiKey } from '@sandgate/core';
import { type KeyRow, toApiKey } from './key-row.ts';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';

/** From which keys a key descends. */
export class KeyAncestors {
  readonly #byNumber: PreparedStatement<KeyRow>;

  constructor(connection: SqliteConnection) {
    this.#byNumber = connection.prepare('select * from api_keys where number = ?');
  }

  row(number: number): KeyRow | undefined {
    return this.#byNumber.get(number);
  }

  /** The parent first. */
  of(row: Pick<KeyRow, 'parent_number'>): readonly ApiKey[] {
    const ancestors: ApiKey[] = [];
    let { parent_number: parentNumber } = row;
    while (parentNumber !== null) {
      const parent = this.row(parentNumber);
      if (parent === undefined) break;
      ancestors.push(toApiKey(parent));
      parentNumber = parent.parent_number;
    }
    return ancestors;
  }
}
