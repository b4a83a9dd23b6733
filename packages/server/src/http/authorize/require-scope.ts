import { grants, SandgateError, type Scope } from '@sandgate/core';
import type { Access } from './authorizer.ts';

/** Whether a caller has the right to something beside what a route is for. */
export const hasScope = ({ caller }: Pick<Access, 'caller'>, scope: Scope): boolean =>
  caller.kind !== 'key' || grants(caller.key.scopes, scope);

/** @throws SandgateError `scope_missing` */
export function requireScope(access: Pick<Access, 'caller'>, scope: Scope): void {
  if (hasScope(access, scope)) return;
  throw new SandgateError('scope_missing', `This API key lacks the scope ${scope}`);
}
