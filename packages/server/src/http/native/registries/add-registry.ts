import { addRegistry } from '@sandgate/core';
import { namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import { newRegistryBody, registryItem, toRegistryItem } from './registry-schemas.ts';

export const addRegistryRoute = defineRoute({
  operationId: 'addRegistry',
  method: 'post',
  path: '/api/v1/registries',
  tag: 'Registries',
  summary: 'Store a user and password for a registry of images',
  description: 'The password is encrypted, and never given back.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'registry.create',
  body: newRegistryBody.extend({ workspace: workspaceName.optional() }),
  answer: registryItem,
  errors: ['quota_exceeded'],
  async run({ body: { workspace: _, email = null, enabled = true, ...given } }, context) {
    const registry = await addRegistry(context, namedWorkspace(context), {
      ...given,
      email,
      enabled,
    });
    return toRegistryItem(registry, context.serverKey().version);
  },
});
