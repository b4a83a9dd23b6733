import { type ApiKey, findKey, type Grantor, listAncestors, SandgateError } from '@sandgate/core';
import { actsAs, callerKey } from '../../authorize/caller-key.ts';
import type { AuthorisedContext } from '../route.ts';

interface FindOptions {
  readonly revokedToo?: boolean;
  /** Where the caller reaches none but its descendants, itself too. */
  readonly selfToo?: boolean;
}

/**
 * The key that a path names, if the caller reaches it. A key of another workspace is not found, nor one
 * that is none of the caller's descendants where it reaches no others, nor a revoked one, which was
 * deleted as far as this door's clients are concerned.
 * @throws SandgateError `key_not_found`
 */
export async function findKeyWithin(
  context: AuthorisedContext,
  reference: string,
  { revokedToo = false, selfToo = false }: FindOptions = {},
): Promise<ApiKey> {
  const { workspace } = context.access;
  const key = await findKey(context, reference);
  const reached =
    workspace === null ||
    // A key that follows its owner is in no workspace more than in another: it is theirs alone.
    (key.workspaceId === workspace.id && (!key.followsOwner || actsAs(context, key)));
  const open =
    !context.ownChildrenOnly ||
    (selfToo && key.number === callerKey(context)?.number) ||
    (await isDescendant(context, key));
  if (reached && open && (revokedToo || key.revokedAtMs === null)) {
    context.change.note({ target: `key:${key.number}`, workspaceId: key.workspaceId });
    return key;
  }
  throw new SandgateError('key_not_found', 'API key not found');
}

async function isDescendant(context: AuthorisedContext, key: ApiKey): Promise<boolean> {
  const caller = callerKey(context);
  return (await listAncestors(context, key)).some(({ number }) => number === caller?.number);
}

/** The caller, as somebody who can give a key no more than it has itself. */
export async function grantorFor(context: AuthorisedContext, key: ApiKey): Promise<Grantor> {
  const workspace =
    key.workspaceId === null ? null : await context.storage.workspaces.findById(key.workspaceId);
  return { caller: callerKey(context), workspace, limitsOf: context.limitsOf };
}
