import { logIn } from '@sandgate/core';
import { z } from 'zod';
import { openSession } from '../../../people/open-session.ts';
import { refuseStranger } from '../../../people/refuse-stranger.ts';
import { defineModboxDoor, optionalText } from '../modbox-route.ts';
import { tokenAnswer } from './token-answer.ts';

export const logInRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/login',
  body: z.object({
    username: z.string().min(1).max(254),
    password: z.string().min(1).max(1_024),
    /** In this one body, names are in camel case. */
    recaptchaToken: optionalText(10_000),
  }),
  async run({ username, password, recaptchaToken }, context) {
    const { address, verifyCaptcha } = context;
    const user = await refuseStranger(context, '/auth/login', async () => {
      const proveHuman = async () => await verifyCaptcha?.(recaptchaToken, address);
      return await logIn(context, { email: username, password, address, proveHuman });
    });
    return tokenAnswer(await openSession(context, user, { by: 'password' }));
  },
});
