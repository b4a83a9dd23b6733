import { z } from 'zod';
import { definePublicRoute } from '../route.ts';

export const signInOptionsRoute = definePublicRoute({
  operationId: 'showSignInOptions',
  method: 'get',
  path: '/api/v1/session/options',
  tag: 'Browser session',
  summary: 'Show the ways in',
  description: 'For the page that asks somebody to log in.',
  answer: z.strictObject({
    setup: z
      .boolean()
      .meta({ description: 'Nobody has an account: the setup token makes the first one' }),
    captcha: z.boolean().meta({ description: 'A login needs captcha_token' }),
    providers: z
      .array(z.string())
      .meta({ description: 'As in GET /auth/sso/{provider}?answer=code' }),
  }),
  async run(_, { setup, storage, verifyCaptcha, signOn }) {
    return {
      setup: setup.token !== null && (await storage.users.count()) === 0,
      captcha: verifyCaptcha !== null,
      providers: [...signOn.providers.keys()],
    };
  },
});
