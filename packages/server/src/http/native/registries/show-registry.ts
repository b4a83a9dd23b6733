import { showRegistry } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { registryItem, registryParams, toRegistryItem } from './registry-schemas.ts';

export const showRegistryRoute = defineRoute({
  operationId: 'getRegistry',
  method: 'get',
  path: '/api/v1/registries/{registry}',
  tag: 'Registries',
  summary: 'Show a registry',
  access: 'sandbox:read',
  workspace: 'reach',
  safe: true,
  params: registryParams,
  answer: registryItem,
  errors: ['not_found'],
  run: async ({ params }, context) =>
    toRegistryItem(
      await showRegistry(context, context.access.workspace, params.registry),
      context.serverKey().version,
    ),
});
