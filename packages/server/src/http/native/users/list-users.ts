import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { queryNumber } from '../shared-schemas.ts';
import { toUserItem, userItem } from './user-schemas.ts';

export const listUsersRoute = defineRoute({
  operationId: 'listUsers',
  method: 'get',
  path: '/api/v1/users',
  tag: 'People',
  summary: 'List the people who have an account',
  description: 'For a key of all workspaces. Oldest first.',
  access: 'workspace:read',
  workspace: 'all',
  safe: true,
  query: z.strictObject({
    size: queryNumber(1, 1_000).default(50),
    cursor: queryNumber(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'next_cursor of the page before' }),
    q: z.string().min(1).max(100).optional().meta({ description: 'In name or e-mail address' }),
  }),
  answer: z.strictObject({
    users: z.array(userItem),
    total: z.int(),
    next_cursor: z.int().nullable(),
  }),
  async run({ query: { size, cursor, q } }, { storage }) {
    const { users, total } = await storage.users.page({
      limit: size + 1,
      afterNumber: cursor,
      search: q,
    });
    const shown = users.slice(0, size);
    return {
      users: shown.map(toUserItem),
      total,
      next_cursor: users.length > size ? (shown.at(-1)?.number ?? null) : null,
    };
  },
});
