import type { KeyQuery } from '@sandgate/core';
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Schema } from './schema.ts';

type Keys = SelectQueryBuilder<Schema, 'api_keys', object>;

const inState: Readonly<
  Record<NonNullable<KeyQuery['state']>, (keys: Keys, nowMs: number) => Keys>
> = {
  revoked: (keys) => keys.where('revoked_at_ms', 'is not', null),
  expired: (keys, nowMs) =>
    keys.where('revoked_at_ms', 'is', null).where('expires_at_ms', '<=', nowMs),
  disabled: (keys, nowMs) => notEnded(keys, nowMs).where('enabled', '=', 0),
  active: (keys, nowMs) => notEnded(keys, nowMs).where('enabled', '=', 1),
};

const notEnded = (keys: Keys, nowMs: number): Keys =>
  keys
    .where('revoked_at_ms', 'is', null)
    .where((column) =>
      column.or([column('expires_at_ms', 'is', null), column('expires_at_ms', '>', nowMs)]),
    );

/** The keys that a query is about, in no order yet. */
export function selectKeys(queries: Kysely<Schema>, query: KeyQuery): Keys {
  const { workspaceId, state, search, parentNumber, nowMs } = query;
  const all: Keys = queries.selectFrom('api_keys');
  const inWorkspace =
    workspaceId === undefined ? all : all.where('workspace_id', 'is', workspaceId);
  const ofParent =
    parentNumber === undefined
      ? inWorkspace
      : inWorkspace.where('parent_number', '=', parentNumber);
  const found =
    search === undefined
      ? ofParent
      : ofParent.where((column) =>
          column.or([contains('name', search), contains('description', search)]),
        );
  return state === undefined
    ? found.where('revoked_at_ms', 'is', null)
    : inState[state](found, nowMs);
}

/** LIKE ignores the case of ASCII letters; its wildcards are searched for as they are. */
function contains(column: 'name' | 'description', text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`${sql.ref(column)} like ${pattern} escape '\\'`;
}
