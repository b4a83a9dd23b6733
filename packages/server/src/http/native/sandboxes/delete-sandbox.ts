import { defineRoute } from '../route.ts';
import { sandboxOf } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { sandboxItem, sandboxParams } from './sandbox-schemas.ts';

export const deleteSandboxRoute = defineRoute({
  operationId: 'deleteSandbox',
  method: 'delete',
  path: '/api/v1/sandboxes/{sandbox}',
  tag: 'Sandboxes',
  summary: 'End a sandbox for ever, with its files',
  description: 'Its name and its volumes are free again. By its id it may be repeated.',
  access: 'sandbox:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  answer: sandboxItem,
  errors: ['sandbox_not_found'],
  async run({ params }, context) {
    const found = await sandboxOf(context, params.sandbox, { includeDestroyed: true });
    return toSandboxItem(await found.sandboxes.destroy(found.workspace, found.sandbox.id));
  },
});
