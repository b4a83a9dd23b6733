import { provePassword, setPassword } from '@sandgate/core';
import { type CalledPeopleContext, requirePerson } from './people-context.ts';

/**
 * Asks for the old password, at the cost of a login: a token left open is not the person. Ends every
 * other session.
 * @throws SandgateError `login_failed`, `rate_limited`, `invalid_request`
 */
export async function changeOwnPassword(
  context: CalledPeopleContext,
  { oldPassword, newPassword }: { readonly oldPassword: string; readonly newPassword: string },
): Promise<void> {
  const { user, sessionId } = requirePerson(context);
  const { address, change } = context;
  change.note({ target: `user:${user.number}` });
  await provePassword(context, { email: user.email, password: oldPassword, address });
  const options = { record: change.append, exceptSession: sessionId };
  await setPassword(context, user, newPassword, options);
}
