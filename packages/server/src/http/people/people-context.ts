import type { AuditedChange, KeyOwner } from '@sandgate/core';
import { SandgateError } from '@sandgate/core';
import type { Access } from '../authorize/authorizer.ts';
import type { IdentityServices } from '../identity-services.ts';

/** What is done about people needs of a request, whichever door it came to. */
export interface PeopleContext extends IdentityServices {
  readonly requestId: string;
  /** The peer's IP address. */
  readonly address: string;
  /** What the client calls itself. */
  readonly agent: string;
}

/** The same, of a call that was allowed and may change something. */
export interface CalledPeopleContext extends PeopleContext {
  readonly access: Access;
  readonly change: AuditedChange;
}

/** A person who has logged in. */
export type LoggedIn = KeyOwner & { readonly sessionId: string };

/**
 * The person who calls with an access token. A key of theirs is not enough for what is about the
 * account: it may be given less than they have, and must not be able to get more.
 * @throws SandgateError `user_required`
 */
export function requirePerson({
  access: { caller },
}: Pick<CalledPeopleContext, 'access'>): LoggedIn {
  const owner = caller.kind === 'key' ? caller.owner : null;
  if (owner?.sessionId != null) return { ...owner, sessionId: owner.sessionId };
  throw new SandgateError(
    'user_required',
    'This is about an account: log in, and send the access token',
  );
}
