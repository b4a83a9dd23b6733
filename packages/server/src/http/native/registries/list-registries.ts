import { listRegistries } from '@sandgate/core';
import { z } from 'zod';
import { namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { queryNumber, workspaceName } from '../shared-schemas.ts';
import { registryItem, toRegistryItem } from './registry-schemas.ts';

export const listRegistriesRoute = defineRoute({
  operationId: 'listRegistries',
  method: 'get',
  path: '/api/v1/registries',
  tag: 'Registries',
  summary: 'List registries, the oldest first',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  query: z.strictObject({
    size: queryNumber(1, 100).default(20),
    cursor: z.string().max(64).optional().meta({ description: 'next_cursor of the page before' }),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({
    registries: z.array(registryItem),
    next_cursor: z.string().nullable(),
  }),
  async run({ query: { size, cursor } }, context) {
    const { registries, nextAfterId } = await listRegistries(context, namedWorkspace(context), {
      limit: size,
      afterId: cursor,
    });
    const { version } = context.serverKey();
    return {
      registries: registries.map((registry) => toRegistryItem(registry, version)),
      next_cursor: nextAfterId,
    };
  },
});
