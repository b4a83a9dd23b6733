import { z } from 'zod';
import { changeOwnPassword } from '../../../people/change-own-password.ts';
import { defineModboxRoute } from '../modbox-route.ts';

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
  async run({ old_password: oldPassword, new_password: newPassword }, context) {
    await changeOwnPassword(context, { oldPassword, newPassword });
    return { success: true };
  },
});
