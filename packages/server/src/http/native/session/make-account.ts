import { z } from 'zod';
import { makeFirstAccount, makeInvitedAccount } from '../../people/make-account.ts';
import { openSession } from '../../people/open-session.ts';
import { definePublicRoute } from '../route.ts';
import { emailText, passwordText, personName } from '../users/user-schemas.ts';
import { invitationToken } from '../workspaces/invitation-schemas.ts';
import { requireOwnPage } from './require-own-page.ts';
import { answerSession, sessionAnswer } from './session-answer.ts';

export const setUpRoute = definePublicRoute({
  operationId: 'setUp',
  method: 'post',
  path: '/api/v1/setup',
  tag: 'Browser session',
  summary: 'Make the first account of a server',
  description:
    'With the token that the server prints at its start while nobody has an account. The person owns the workspace `default`, and is logged in.',
  body: z.strictObject({
    token: z.string().max(200),
    email: emailText,
    password: passwordText,
    name: personName.default(''),
  }),
  answer: sessionAnswer,
  errors: ['origin_refused', 'rate_limited', 'setup_refused'],
  async run({ body }, context) {
    requireOwnPage(context.page, context.signOn.publicUrl);
    const user = await makeFirstAccount(context, '/api/v1/setup', body);
    return answerSession(context, user, await openSession(context, user, { by: 'setup token' }));
  },
});

export const acceptInvitationRoute = definePublicRoute({
  operationId: 'acceptInvitation',
  method: 'post',
  path: '/api/v1/invitations/accept',
  tag: 'Browser session',
  summary: 'Take a place in a workspace, with a new account',
  description: 'For who has no account yet. The person is logged in.',
  body: z.strictObject({
    token: invitationToken,
    password: passwordText,
    name: personName.default(''),
  }),
  answer: sessionAnswer,
  errors: ['invitation_invalid', 'origin_refused', 'rate_limited', 'user_exists'],
  async run({ body }, context) {
    requireOwnPage(context.page, context.signOn.publicUrl);
    const user = await makeInvitedAccount(context, '/api/v1/invitations/accept', body);
    return answerSession(context, user, await openSession(context, user, { by: 'invitation' }));
  },
});
