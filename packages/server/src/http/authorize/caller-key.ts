import { type ApiKey, SandgateError } from '@sandgate/core';
import type { Access } from './authorizer.ts';

interface Called {
  readonly access: Access;
}

/** Whether the caller is who a key acts as, or the operator. A key that is nobody's acts as nobody. */
export const actsAs = ({ access: { caller } }: Called, key: ApiKey): boolean =>
  key.ownerId === null ||
  caller.kind !== 'key' ||
  caller.key.workspaceId === null ||
  caller.owner?.user.id === key.ownerId;

/**
 * Whoever learns the text of a person's key acts as that person, whose role may be higher.
 * @throws SandgateError `grant_exceeded`
 */
export function requireOwnKey(context: Called, key: ApiKey): void {
  if (actsAs(context, key)) return;
  throw new SandgateError(
    'grant_exceeded',
    'This API key acts as another person. Only they can rotate it, or make children of it',
  );
}

/** The key that asks; null in development mode, where none is asked for. */
export const callerKey = ({ access: { caller } }: Called): ApiKey | null =>
  caller.kind === 'key' ? caller.key : null;
