import { type ApiKey, findKey, type Grantor, SandgateError } from '@sandgate/core';
import type { AuthorisedContext } from '../route.ts';

/**
 * The key that a path names, if the caller reaches it. A key of another workspace is not found, and
 * neither is a revoked one, which was deleted as far as this door's clients are concerned.
 * @throws SandgateError `key_not_found`
 */
export async function findKeyWithin(
  context: AuthorisedContext,
  reference: string,
  { revokedToo = false }: { readonly revokedToo?: boolean } = {},
): Promise<ApiKey> {
  const { workspace } = context.access;
  const key = await findKey(context, reference);
  const reached = workspace === null || key.workspaceId === workspace.id;
  if (reached && (revokedToo || key.revokedAtMs === null)) {
    context.change.note({ target: `key:${key.number}`, workspaceId: key.workspaceId });
    return key;
  }
  throw new SandgateError('key_not_found', 'API key not found');
}

/** The key that asks; null in development mode, where none is asked for. */
export const callerKey = ({ access: { caller } }: AuthorisedContext): ApiKey | null =>
  caller.kind === 'key' ? caller.key : null;

/** The caller, as somebody who can give a key no more than it has itself. */
export async function grantorFor(context: AuthorisedContext, key: ApiKey): Promise<Grantor> {
  const workspace =
    key.workspaceId === null ? null : await context.storage.workspaces.findById(key.workspaceId);
  return { caller: callerKey(context), workspace, limitsOf: context.limitsOf };
}
