import { SandgateError } from '../error/sandgate-error.ts';
import type { KeyChanges } from '../port/storage.ts';
import type { ApiKey } from './api-key.ts';
import { findKey } from './change-key.ts';
import { type KeyChangeDependencies, requireAllowList, requireScopes } from './issue-key.ts';
import { type Grantor, requireWithin } from './mint-key.ts';
import { noteKey } from './note-key.ts';
import { requireRestrictions } from './require-restrictions.ts';

export interface UpdateKeyRequest extends Omit<KeyChanges, 'scopes'> {
  readonly scopes?: readonly string[];
}

/** Changes that can make a key do more than it did. Names and notes cannot. */
const givesRights = (changes: KeyChanges): boolean =>
  changes.enabled === true ||
  [
    changes.scopes,
    changes.expiresAtMs,
    changes.addressAllowList,
    changes.limits,
    changes.restrictions,
  ].some((change) => change !== undefined);

/**
 * Changes a key. Its rights stay within those of the caller, or nobody could be kept from widening
 * a key and then using it.
 * @throws SandgateError `grant_exceeded`, `invalid_request`, or `key_changed` when somebody else
 * changed it at the same time
 */
export async function updateKey(
  dependencies: KeyChangeDependencies,
  grantor: Grantor,
  key: ApiKey,
  request: UpdateKeyRequest,
): Promise<ApiKey> {
  const { scopes, addressAllowList, restrictions, ...rest } = request;
  const changes: KeyChanges = {
    ...rest,
    ...(scopes === undefined ? {} : { scopes: requireScopes(scopes) }),
    ...(addressAllowList === undefined
      ? {}
      : { addressAllowList: requireAllowList(addressAllowList) }),
    ...(restrictions === undefined ? {} : { restrictions: requireRestrictions(restrictions) }),
  };
  const { storage, change } = dependencies;
  noteKey(change, key);
  if (givesRights(changes)) requireWithin({ ...key, ...changes }, grantor);
  if (!(await storage.keys.update(key.id, changes, key.revision, change.append))) {
    throw new SandgateError(
      'key_changed',
      'This API key was changed by someone else at the same time. Look at it, and try again',
    );
  }
  return await findKey(dependencies, key.id);
}
