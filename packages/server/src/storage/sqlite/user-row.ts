import type { User } from '@sandgate/core';
import type { Selectable } from 'kysely';
import type { PeopleSchema } from './people-schema.ts';

export type UserRow = Selectable<PeopleSchema['users']>;

export const toUser = (row: UserRow): User => ({
  id: row.id,
  number: row.number,
  email: row.email,
  name: row.name,
  passwordHash: row.password_hash,
  emailVerified: row.email_verified === 1,
  enabled: row.enabled === 1,
  homeWorkspaceId: row.home_workspace_id,
  createdAtMs: row.created_at_ms,
  lastLoginAtMs: row.last_login_at_ms,
});
