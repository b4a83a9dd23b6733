import { z } from 'zod';
import { changeOwnPassword } from '../../people/change-own-password.ts';
import { defineRoute } from '../route.ts';
import { passwordText } from '../users/user-schemas.ts';

export const changePasswordRoute = defineRoute({
  operationId: 'changePassword',
  method: 'put',
  path: '/api/v1/me/password',
  tag: 'Account',
  summary: 'Change your password',
  description: 'Every other session of yours ends. The old password is asked for as at a login.',
  access: 'person',
  workspace: 'reach',
  safe: false,
  audit: 'user.password',
  body: z.strictObject({ old_password: passwordText, new_password: passwordText }),
  answer: z.undefined(),
  status: 204,
  errors: ['login_failed'],
  async run({ body: { old_password: oldPassword, new_password: newPassword } }, context) {
    await changeOwnPassword(context, { oldPassword, newPassword });
    return undefined;
  },
});
