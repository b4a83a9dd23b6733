import { type KeyQuery, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { queryNumber, workspaceName } from '../shared-schemas.ts';
import { findKeyWithin } from './find-key-within.ts';
import { keyItems } from './key-item.ts';
import { keyPage } from './key-schemas.ts';

export const listKeysRoute = defineRoute({
  operationId: 'listApiKeys',
  method: 'get',
  path: '/api/v1/api-keys',
  tag: 'API keys',
  summary: 'List API keys',
  description:
    'Oldest first. Revoked keys are left out, unless state=revoked asks for them. With `key:mint` alone, a key sees its own children, or those of the descendant that `parent_id` names.',
  access: 'key:read',
  ownChildren: true,
  workspace: 'reach',
  safe: true,
  query: z.strictObject({
    page: queryNumber(1, 1_000_000).optional(),
    size: queryNumber(1, 100).default(10),
    cursor: queryNumber(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'next_cursor of the page before. Stays quick however many there are' }),
    q: z.string().min(1).max(100).optional().meta({ description: 'In name or description' }),
    state: z.enum(['active', 'disabled', 'expired', 'revoked']).optional(),
    parent_id: queryNumber(1, Number.MAX_SAFE_INTEGER).optional(),
    workspace: workspaceName.optional(),
  }),
  answer: keyPage,
  errors: ['key_not_found'],
  async run({ query: { page = 1, size, cursor, q, state, parent_id } }, context) {
    if (cursor !== undefined && page !== 1) {
      throw new SandgateError('invalid_request', 'query: give page or cursor, not both');
    }
    const { storage, clock, access } = context;
    const found: KeyQuery = {
      nowMs: clock.nowMs(),
      ...(access.workspace === null ? {} : { workspaceId: access.workspace.id }),
      ...(q === undefined ? {} : { search: q }),
      ...(state === undefined ? {} : { state }),
      ...(await parentFilter(context, parent_id)),
    };
    const { keys, total } = await storage.keys.page(found, {
      limit: size + 1,
      ...(cursor === undefined ? { offset: (page - 1) * size } : { afterNumber: cursor }),
    });
    const shown = keys.slice(0, size);
    return {
      api_keys: await keyItems(context, shown),
      total,
      page,
      size,
      next_cursor: keys.length > size ? (shown.at(-1)?.number ?? null) : null,
    };
  },
});

async function parentFilter(
  context: AuthorisedContext,
  number: number | undefined,
): Promise<Pick<KeyQuery, 'parentNumber'>> {
  if (!context.ownChildrenOnly) return number === undefined ? {} : { parentNumber: number };
  const reference = String(number ?? callerKey(context)?.number);
  const parent = await findKeyWithin(context, reference, { selfToo: true, revokedToo: true });
  return { parentNumber: parent.number };
}
