import type { ApiKey, ApiKeySecret, GrantedScope, KeyChanges, KeyPrefix } from '@sandgate/core';
import type { Insertable, Selectable, Updateable } from 'kysely';
import type { Schema } from './schema.ts';
import type { UnsummedUse } from './unsummed-use.ts';

export type KeyRow = Selectable<Schema['api_keys']>;

export function toApiKey(row: KeyRow, unsummed: UnsummedUse | null = null): ApiKey {
  return {
    id: row.id,
    number: row.number,
    revision: row.revision,
    lineageId: row.lineage_id,
    name: row.name,
    description: row.description,
    prefix: row.prefix as KeyPrefix,
    lastFour: row.last_four,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
    followsOwner: row.follows_owner === 1,
    scopes: JSON.parse(row.scopes) as GrantedScope[],
    addressAllowList: JSON.parse(row.address_allow_list) as string[],
    expiresAtMs: row.expires_at_ms,
    enabled: row.enabled === 1,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: latest(row.last_used_at_ms, unsummed?.lastUsedAtMs ?? null),
    usageCount: row.usage_count + (unsummed?.calls ?? 0),
    revokedAtMs: row.revoked_at_ms,
    parentNumber: row.parent_number,
    limits: JSON.parse(row.limits) as ApiKey['limits'],
    restrictions: JSON.parse(row.restrictions) as ApiKey['restrictions'],
    metadata: JSON.parse(row.metadata) as ApiKey['metadata'],
  };
}

const latest = (first: number | null, second: number | null): number | null =>
  first === null || second === null ? (first ?? second) : Math.max(first, second);

export function toNewKeyRow(
  key: Omit<ApiKey, 'number' | 'revision'>,
): Insertable<Schema['api_keys']> {
  return {
    id: key.id,
    revision: 1,
    lineage_id: key.lineageId,
    name: key.name,
    description: key.description,
    prefix: key.prefix,
    last_four: key.lastFour,
    workspace_id: key.workspaceId,
    owner_id: key.ownerId,
    follows_owner: key.followsOwner ? 1 : 0,
    scopes: JSON.stringify(key.scopes),
    address_allow_list: JSON.stringify(key.addressAllowList),
    expires_at_ms: key.expiresAtMs,
    enabled: key.enabled ? 1 : 0,
    created_at_ms: key.createdAtMs,
    last_used_at_ms: key.lastUsedAtMs,
    usage_count: key.usageCount,
    revoked_at_ms: key.revokedAtMs,
    parent_number: key.parentNumber,
    limits: JSON.stringify(key.limits),
    restrictions: JSON.stringify(key.restrictions),
    metadata: JSON.stringify(key.metadata),
  };
}

/** The columns of what changes, and no others. */
export function toChangedColumns(changes: KeyChanges): Updateable<Schema['api_keys']> {
  const { name, description, enabled, scopes, expiresAtMs, addressAllowList } = changes;
  const { limits, restrictions, metadata } = changes;
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
    ...(scopes === undefined ? {} : { scopes: JSON.stringify(scopes) }),
    ...(expiresAtMs === undefined ? {} : { expires_at_ms: expiresAtMs }),
    ...(addressAllowList === undefined
      ? {}
      : { address_allow_list: JSON.stringify(addressAllowList) }),
    ...(limits === undefined ? {} : { limits: JSON.stringify(limits) }),
    ...(restrictions === undefined ? {} : { restrictions: JSON.stringify(restrictions) }),
    ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
  };
}

export function toSecretRow(
  secret: ApiKeySecret,
  keyNumber: number,
): Insertable<Schema['api_key_secrets']> {
  return {
    digest: secret.digest,
    key_number: keyNumber,
    server_key_version: secret.serverKeyVersion,
    created_at_ms: secret.createdAtMs,
    valid_until_ms: secret.validUntilMs,
  };
}
