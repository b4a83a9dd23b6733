import { type ApiKey, keyState, type Storage } from '@sandgate/core';
import type { z } from 'zod';
import type { NativeServices } from '../route.ts';
import { toNullableTime, toTime } from '../shared-schemas.ts';
import type { keyItem } from './key-schemas.ts';
import { limitFields } from './limit-fields.ts';
import { restrictionFields } from './restriction-fields.ts';

type KeyItem = z.input<typeof keyItem>;

/** Keys as this door shows them: never their texts. */
export async function keyItems(
  services: NativeServices,
  keys: readonly ApiKey[],
): Promise<KeyItem[]> {
  const workspaces = await workspacesOf(services.storage, keys);
  const nowMs = services.clock.nowMs();
  return keys.map((key) => {
    const workspace = key.workspaceId === null ? null : (workspaces.get(key.workspaceId) ?? null);
    const state = keyState(key, nowMs);
    return {
      id: key.number,
      name: key.name,
      description: key.description,
      is_active: state === 'active',
      created_at: toTime(key.createdAtMs),
      last_used: toNullableTime(key.lastUsedAtMs),
      usage_count: key.usageCount,
      uid: key.id,
      state,
      prefix: key.prefix,
      last_four: key.lastFour,
      workspace: workspace?.slug ?? '*',
      parent_id: key.parentNumber,
      scopes: [...key.scopes],
      expires_at: toNullableTime(key.expiresAtMs),
      ip_allow_list: [...key.addressAllowList],
      limits: limitFields(services.limitsOf(key, workspace)),
      restrictions: restrictionFields(key.restrictions),
      metadata: { ...key.metadata },
    };
  });
}

export async function oneKeyItem(services: NativeServices, key: ApiKey): Promise<KeyItem> {
  const [item] = await keyItems(services, [key]);
  if (item === undefined) throw new Error('A key gave no item.');
  return item;
}

async function workspacesOf({ workspaces }: Storage, keys: readonly ApiKey[]) {
  const ids = new Set(keys.flatMap(({ workspaceId }) => workspaceId ?? []));
  const found = await Promise.all([...ids].map((id) => workspaces.findById(id)));
  return new Map(found.flatMap((each) => (each === null ? [] : [[each.id, each] as const])));
}
