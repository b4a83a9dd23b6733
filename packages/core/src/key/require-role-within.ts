import { SandgateError } from '../error/sandgate-error.ts';
import { type Role, roleScopes } from '../user/role.ts';
import type { ApiKey } from './api-key.ts';
import { restrictionsBeyond } from './narrow-restrictions.ts';
import { grants } from './scope.ts';

/**
 * A member may do whatever the role allows, with nothing else in the way. So a key that makes one gives
 * that away, and must have it: else it could invite whoever holds it to more than it was given.
 * @throws SandgateError `grant_exceeded` naming everything in which the role reaches further
 */
export function requireRoleWithin(caller: ApiKey | null, role: Role): void {
  if (caller === null) return;
  const { scopes, restrictions } = caller;
  const missing = roleScopes[role].filter((scope) => !grants(scopes, scope));
  const beyond = [
    ...(missing.length === 0 ? [] : [`the scopes ${missing.join(', ')}`]),
    ...restrictionsBeyond({}, restrictions),
  ];
  if (beyond.length === 0) return;
  throw new SandgateError(
    'grant_exceeded',
    `An API key can give no role that may do more than it may itself, as ${beyond.join(', ')}`,
  );
}
