import { z } from 'zod';
import { exchangeCode, signInRefused } from '../../people/exchange-code.ts';
import { refuseStranger } from '../../people/refuse-stranger.ts';
import { readSessionCookie } from '../../people/session-cookies.ts';
import { definePublicRoute } from '../route.ts';
import { requireOwnPage } from './require-own-page.ts';
import { answerSession, sessionAnswer } from './session-answer.ts';

const path = '/api/v1/session/exchange';

export const exchangeCodeRoute = definePublicRoute({
  operationId: 'exchangeCode',
  method: 'post',
  path,
  tag: 'Browser session',
  summary: 'Take up the session of a single sign-on',
  description:
    'The code is in the fragment of the address that GET /auth/sso/{provider}?answer=code comes back to. It is good once, for a minute, in the browser that signed on.',
  body: z.strictObject({ code: z.string().max(200) }),
  answer: sessionAnswer,
  errors: ['origin_refused', 'rate_limited', 'sign_in_failed'],
  async run({ body: { code } }, context) {
    const { page, signOn } = context;
    requireOwnPage(page, signOn.publicUrl);
    // Else a page could log others in as whoever sent them there.
    await refuseStranger(context, path, async () => {
      if (readSessionCookie(page.cookies, 'code') !== code) throw signInRefused();
    });
    const { user, tokens } = await exchangeCode(context, path, code);
    return answerSession(context, user, tokens);
  },
});
