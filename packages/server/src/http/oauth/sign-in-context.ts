import type { ApiKey, RequestLimits, User, Workspace } from '@sandgate/core';
import type { Logger } from 'pino';
import type { Authorizer } from '../authorize/authorizer.ts';
import type { IdentityServices } from '../identity-services.ts';
import type { PeopleContext } from '../people/people-context.ts';
import { readPersonCookie } from '../people/person-cookie.ts';
import { peerAddress, type RequestContext } from '../request-context.ts';
import type { OauthServices } from './oauth-services.ts';

export interface SignInDependencies extends IdentityServices {
  readonly authorizer: Authorizer;
  readonly log: Logger;
  readonly limitsOf: (key: ApiKey, workspace: Workspace | null) => RequestLimits;
  /** How long a person may let a program in for. */
  readonly oauthGrantDays: number;
}

/** The same, where programs are signed in. */
export interface SignInServices extends SignInDependencies {
  readonly oauth: OauthServices;
}

export const peopleContext = (
  services: SignInServices,
  context: RequestContext,
): PeopleContext => ({
  ...services,
  requestId: context.get('requestId'),
  address: peerAddress(context),
  agent: context.req.header('user-agent') ?? '',
});

/** Who has logged in on the page, with the access token that says so. */
export interface PersonAtPage {
  readonly user: User;
  readonly accessToken: string;
}

/** Null for nobody, also when their session has ended. */
export async function personAtPage(
  { authorizer, storage }: SignInServices,
  context: RequestContext,
): Promise<PersonAtPage | null> {
  const accessToken = readPersonCookie(context.req.header('cookie') ?? '');
  if (accessToken === null) return null;
  const address = peerAddress(context);
  const userId = await authorizer.personOf({ credential: accessToken, address });
  const user = userId === null ? null : await storage.users.findById(userId);
  return user === null ? null : { user, accessToken };
}
