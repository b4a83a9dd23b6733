import type { User } from '@sandgate/core';
import { z } from 'zod';
import { nullableTime, time, toNullableTime, toTime } from '../shared-schemas.ts';

/** Of a query, a path or a body. */
export const userReference = z
  .string()
  .min(1)
  .max(254)
  .meta({ description: 'Id, uid or e-mail address of a person' });

export const userParams = z.strictObject({ user: userReference });

/** What the core says of each goes into the refusal. */
export const emailText = z.string().max(254);
export const passwordText = z.string().max(1_024);
export const personName = z.string().max(400);

/** What everybody sees who is in a workspace with them. */
export const personFields = {
  id: z.int(),
  uid: z.string().meta({ description: '24 hex digits. Works wherever the id does' }),
  email: z.string(),
  name: z.string(),
};

export const userItem = z
  .strictObject({
    ...personFields,
    is_active: z.boolean(),
    email_verified: z.boolean(),
    has_password: z.boolean().meta({ description: 'False: single sign-on only' }),
    created_at: time,
    last_login_at: nullableTime,
  })
  .meta({ id: 'User' });

export const toPerson = ({ number, id, email, name }: User) => ({
  id: number,
  uid: id,
  email,
  name,
});

export const toUserItem = (user: User): z.input<typeof userItem> => ({
  ...toPerson(user),
  is_active: user.enabled,
  email_verified: user.emailVerified,
  has_password: user.passwordHash !== null,
  created_at: toTime(user.createdAtMs),
  last_login_at: toNullableTime(user.lastLoginAtMs),
});
