import type { AuditActor } from '../audit/audit-entry.ts';
import type { ApiKey } from '../key/api-key.ts';
import type { User } from '../user/user.ts';

/**
 * A person who calls with an access token, in the form of a key: so that every step of the check,
 * every limit and every usage row treats both alike. It is stored nowhere. Its number is below zero,
 * which no stored key's is.
 */
export function personKey(user: User): ApiKey {
  return {
    id: user.id,
    number: -user.number,
    revision: 0,
    lineageId: user.id,
    name: user.email,
    description: '',
    prefix: 'mbx_',
    lastFour: '',
    workspaceId: user.homeWorkspaceId,
    ownerId: user.id,
    followsOwner: true,
    scopes: ['*'],
    addressAllowList: [],
    expiresAtMs: null,
    enabled: true,
    createdAtMs: user.createdAtMs,
    lastUsedAtMs: null,
    usageCount: 0,
    revokedAtMs: null,
    parentNumber: null,
    limits: {},
    metadata: {},
    restrictions: {},
  };
}

/** Who did something, by the number that their usage rows have. */
export function callerActor(keyNumber: number): AuditActor {
  const userNumber = personNumber(keyNumber);
  return userNumber === null ? { kind: 'key', keyNumber } : { kind: 'user', userNumber };
}

/** The number of the person whom a key number below zero stands for; null for that of a key. */
export const personNumber = (keyNumber: number): number | null =>
  keyNumber < 0 ? -keyNumber : null;
