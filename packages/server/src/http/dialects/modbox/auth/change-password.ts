import { logIn, setPassword } from '@sandgate/core';
import { z } from 'zod';
import { defineModboxRoute, requirePerson } from '../modbox-route.ts';

/** Asks for the old password, at the cost of a login: a token left open is not the person. */
export const changePasswordRoute = defineModboxRoute({
  method: 'post',
  path: '/auth/password',
  access: 'user',
  workspace: 'header',
  audit: 'user.password',
  body: z.object({
    old_password: z.string().max(1_024),
    new_password: z.string().max(1_024),
  }),
  async run({ old_password, new_password }, context) {
    const { user, sessionId } = requirePerson(context);
    context.change.note({ target: `user:${user.number}` });
    const { address } = context;
    await logIn(context, { email: user.email, password: old_password, address });
    const { append } = context.change;
    const options = { record: append, exceptSession: sessionId };
    await setPassword(context, user, new_password, options);
    return { success: true };
  },
});
