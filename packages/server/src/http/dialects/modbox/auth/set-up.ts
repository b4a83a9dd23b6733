import { z } from 'zod';
import { defineModboxDoor, optionalText } from '../modbox-route.ts';
import { refuseStranger } from './refuse-stranger.ts';
import { openSession, tokenAnswer } from './token-answer.ts';

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
  async run({ token, email, password, name = '' }, context) {
    const { setup, auditLog, address, requestId } = context;
    const user = await refuseStranger(context, '/auth/setup', () =>
      setup.create(token, { email, password, name }, ({ number }) =>
        auditLog.append([
          {
            action: 'user.create',
            actor: { kind: 'user', userNumber: number },
            target: `user:${number}`,
            address,
            requestId,
            details: { by: 'setup token' },
          },
        ]),
      ),
    );
    return tokenAnswer(await openSession(context, user, { by: 'setup token' }));
  },
});
