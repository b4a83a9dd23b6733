import {
  type AuditAppend,
  acceptAsNewPerson,
  type CreateUserRequest,
  type User,
} from '@sandgate/core';
import type { PeopleContext } from './people-context.ts';
import { refuseStranger } from './refuse-stranger.ts';

interface NewAccount {
  readonly token: string;
  readonly password: string;
  readonly name: string;
}

/** The first account of a server. @throws SandgateError `setup_refused`, `invalid_request` */
export const makeFirstAccount = (
  context: PeopleContext,
  endpoint: string,
  { token, ...request }: NewAccount & Pick<CreateUserRequest, 'email'>,
): Promise<User> =>
  refuseStranger(context, endpoint, () =>
    context.setup.create(token, request, ({ number }) =>
      ownCreation(context, number, 'setup token'),
    ),
  );

/** @throws SandgateError `invitation_invalid`, `invalid_request`, `user_exists` */
export const makeInvitedAccount = (
  context: PeopleContext,
  endpoint: string,
  { token, ...person }: NewAccount,
): Promise<User> =>
  refuseStranger(context, endpoint, () =>
    acceptAsNewPerson(context, token, person, ({ number }) =>
      ownCreation(context, number, 'invitation'),
    ),
  );

/** Nobody but the person makes these. */
const ownCreation = (
  { auditLog, address, requestId }: PeopleContext,
  userNumber: number,
  by: string,
): AuditAppend =>
  auditLog.append([
    {
      action: 'user.create',
      actor: { kind: 'user', userNumber },
      target: `user:${userNumber}`,
      address,
      requestId,
      details: { by },
    },
  ]);
