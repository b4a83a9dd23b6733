import { grants, SandgateError, type Scope } from '@sandgate/core';
import type { Access } from './authorizer.ts';

/**
 * The right to what a call does beside what its route is for.
 * @throws SandgateError `scope_missing`
 */
export function requireScope({ caller }: Pick<Access, 'caller'>, scope: Scope): void {
  if (caller.kind !== 'key' || grants(caller.key.scopes, scope)) return;
  throw new SandgateError('scope_missing', `This API key lacks the scope ${scope}`);
}
