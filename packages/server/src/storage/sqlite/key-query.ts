import type { KeyQuery } from '@sandgate/core';
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import { contains } from './match-text.ts';
import type { Schema } from './schema.ts';

type Keys = SelectQueryBuilder<Schema, 'api_keys', object>;

/** Written out, and no parameter: only so does SQLite see that an index of active keys will do. */
const isEnabled = sql<boolean>`enabled = 1`;

const living = (keys: Keys): Keys => keys.where('revoked_at_ms', 'is', null);

const notExpired = (keys: Keys, nowMs: number): Keys =>
  keys.where((column) =>
    column.or([column('expires_at_ms', 'is', null), column('expires_at_ms', '>', nowMs)]),
  );

const inState: Readonly<
  Record<NonNullable<KeyQuery['state']>, (keys: Keys, nowMs: number) => Keys>
> = {
  revoked: (keys) => keys.where('revoked_at_ms', 'is not', null),
  expired: (keys, nowMs) => living(keys).where('expires_at_ms', '<=', nowMs),
  disabled: (keys, nowMs) => notExpired(living(keys), nowMs).where('enabled', '=', 0),
  active: (keys, nowMs) => notExpired(living(keys), nowMs).where(isEnabled),
};

/** The keys that a query is about, in no order yet. */
export function selectKeys(queries: Kysely<Schema>, query: KeyQuery): Keys {
  const { state, nowMs } = query;
  const found = inAnyState(queries, query);
  return state === undefined ? living(found) : inState[state](found, nowMs);
}

function inAnyState(queries: Kysely<Schema>, query: KeyQuery): Keys {
  const { workspaceId, search, parentNumber } = query;
  const all: Keys = queries.selectFrom('api_keys');
  const inWorkspace =
    workspaceId === undefined ? all : all.where('workspace_id', 'is', workspaceId);
  const ofParent =
    parentNumber === undefined
      ? inWorkspace
      : inWorkspace.where('parent_number', '=', parentNumber);
  return search === undefined
    ? ofParent
    : ofParent.where((column) =>
        column.or([contains('name', search), contains('description', search)]),
      );
}
