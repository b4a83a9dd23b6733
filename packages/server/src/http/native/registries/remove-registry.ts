import { removeRegistry, showRegistry } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { registryParams } from './registry-schemas.ts';

export const removeRegistryRoute = defineRoute({
  operationId: 'removeRegistry',
  method: 'delete',
  path: '/api/v1/registries/{registry}',
  tag: 'Registries',
  summary: 'Forget a registry and its password',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'registry.delete',
  params: registryParams,
  answer: z.null(),
  status: 204,
  errors: ['not_found'],
  async run({ params: { registry: id } }, context) {
    const { workspaceId } = await showRegistry(context, context.access.workspace, id);
    await removeRegistry(context, { id: workspaceId }, id);
    return null;
  },
});
