import { defineRoute } from '../route.ts';
import { sandboxOf } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { sandboxItem, sandboxParams } from './sandbox-schemas.ts';

export const showSandboxRoute = defineRoute({
  operationId: 'getSandbox',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}',
  tag: 'Sandboxes',
  summary: 'Show a sandbox',
  description: 'By its id, a destroyed one too, for as long as its record is kept.',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  answer: sandboxItem,
  errors: ['sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox } = await sandboxOf(context, params.sandbox, { includeDestroyed: true });
    return toSandboxItem(sandbox);
  },
});
