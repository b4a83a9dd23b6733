import { logIn } from '@sandgate/core';
import { z } from 'zod';
import { openSession } from '../../people/open-session.ts';
import { refuseStranger } from '../../people/refuse-stranger.ts';
import { definePublicRoute } from '../route.ts';
import { requireOwnPage } from './require-own-page.ts';
import { answerSession, sessionAnswer } from './session-answer.ts';

export const logInRoute = definePublicRoute({
  operationId: 'logIn',
  method: 'post',
  path: '/api/v1/session',
  tag: 'Browser session',
  summary: 'Log a browser in',
  description:
    'The session is in cookies that no script reads. For programs there is POST /auth/login, which answers tokens.',
  body: z.strictObject({
    email: z.string().min(1).max(254),
    password: z.string().min(1).max(1_024),
    captcha_token: z.string().max(10_000).optional(),
  }),
  answer: sessionAnswer,
  errors: ['captcha_refused', 'login_failed', 'origin_refused', 'rate_limited'],
  async run({ body: { email, password, captcha_token } }, context) {
    const { address, verifyCaptcha, page, signOn } = context;
    requireOwnPage(page, signOn.publicUrl);
    const proveHuman = async () => await verifyCaptcha?.(captcha_token, address);
    const user = await refuseStranger(context, '/api/v1/session', () =>
      logIn(context, { email, password, address, proveHuman }),
    );
    return answerSession(context, user, await openSession(context, user, { by: 'password' }));
  },
});
