import { refreshSession } from '@sandgate/core';
import { z } from 'zod';
import { defineModboxDoor } from '../modbox-route.ts';
import { refuseStranger } from './refuse-stranger.ts';
import { recordSession, tokenAnswer } from './token-answer.ts';

export const refreshRoute = defineModboxDoor({
  method: 'post',
  path: '/auth/refresh',
  body: z.object({ refresh_token: z.string().max(10_000) }),
  async run({ refresh_token }, context) {
    const dependencies = {
      ...context,
      onReuse: async ({ id, userId }: { readonly id: string; readonly userId: string }) => {
        const user = await context.storage.users.findById(userId);
        if (user === null) return;
        await recordSession(context, 'session.reuse', user, { session: id }, { kind: 'stranger' });
      },
    };
    return tokenAnswer(
      await refuseStranger(context, '/auth/refresh', () =>
        refreshSession(dependencies, refresh_token),
      ),
    );
  },
});
