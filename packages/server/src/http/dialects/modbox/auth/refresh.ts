import { z } from 'zod';
import { refreshOwnSession } from '../../../people/refresh-own-session.ts';
import { defineModboxDoor } from '../modbox-route.ts';
import { tokenAnswer } from './token-answer.ts';

export const refreshRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/refresh',
  body: z.object({ refresh_token: z.string().max(10_000) }),
  async run({ refresh_token }, context) {
    return tokenAnswer(await refreshOwnSession(context, '/auth/refresh', refresh_token));
  },
});
