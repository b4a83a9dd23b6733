import { testRegistry } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { registryParams } from './registry-schemas.ts';

export const testRegistryRoute = defineRoute({
  operationId: 'testRegistry',
  method: 'post',
  path: '/api/v1/registries/{registry}/test',
  tag: 'Registries',
  summary: 'Ask a registry whether it lets the stored user in',
  description: '`accepted`: it does. `not_asked`: it lets everybody in, and looked at no password.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: true,
  params: registryParams,
  answer: z.strictObject({
    result: z.enum(['accepted', 'not_asked', 'refused', 'unreachable', 'not_allowed', 'outdated']),
    problem: z.string().nullable().meta({ description: 'What is wrong, in words' }),
  }),
  errors: ['not_found'],
  run: async ({ params }, context) =>
    await testRegistry(context, context.access.workspace, params.registry, context.exchange.signal),
});
