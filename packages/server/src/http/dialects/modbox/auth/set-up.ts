import { z } from 'zod';
import { makeFirstAccount } from '../../../people/make-account.ts';
import { openSession } from '../../../people/open-session.ts';
import { defineModboxDoor, optionalText } from '../modbox-route.ts';
import { tokenAnswer } from './token-answer.ts';

export const setUpRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/setup',
  status: 201,
  body: z.object({
    token: z.string().max(200),
    email: z.string().max(254),
    password: z.string().max(1_024),
    name: optionalText(200),
  }),
  async run({ name = '', ...account }, context) {
    const user = await makeFirstAccount(context, '/auth/setup', { ...account, name });
    return tokenAnswer(await openSession(context, user, { by: 'setup token' }));
  },
});
