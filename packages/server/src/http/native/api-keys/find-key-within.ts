import { type ApiKey, findKey, type Grantor, listAncestors, SandgateError } from '@sandgate/core';
import type { AuthorisedContext } from '../route.ts';

type Called = Pick<AuthorisedContext, 'access'>;

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

/** Whether the caller is who a key acts as, or the operator. A key that is nobody's acts as nobody. */
const actsAs = ({ access: { caller } }: Called, key: ApiKey): boolean =>
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

/** The caller, as somebody who can give a key no more than it has itself. */
export async function grantorFor(context: AuthorisedContext, key: ApiKey): Promise<Grantor> {
  const workspace =
    key.workspaceId === null ? null : await context.storage.workspaces.findById(key.workspaceId);
  return { caller: callerKey(context), workspace, limitsOf: context.limitsOf };
}
