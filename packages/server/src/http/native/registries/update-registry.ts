import { changeRegistry, showRegistry } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import {
  registryChangesBody,
  registryItem,
  registryParams,
  toRegistryItem,
} from './registry-schemas.ts';

export const updateRegistryRoute = defineRoute({
  operationId: 'updateRegistry',
  method: 'patch',
  path: '/api/v1/registries/{registry}',
  tag: 'Registries',
  summary: 'Change a registry',
  description:
    'What is left out stays as it is. With another server, the password must be given again.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'registry.update',
  params: registryParams,
  body: registryChangesBody,
  answer: registryItem,
  errors: ['not_found'],
  async run({ params: { registry: id }, body }, context) {
    const { workspaceId } = await showRegistry(context, context.access.workspace, id);
    const registry = await changeRegistry(context, { id: workspaceId }, id, body);
    return toRegistryItem(registry, context.serverKey().version);
  },
});
