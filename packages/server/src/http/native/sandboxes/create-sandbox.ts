import { requireScope } from '../../authorize/require-scope.ts';
import { defineRoute } from '../route.ts';
import { makeSandbox } from './make-sandbox.ts';
import { createSandboxBody, sandboxItem } from './sandbox-schemas.ts';

export const createSandboxRoute = defineRoute({
  operationId: 'createSandbox',
  method: 'post',
  path: '/api/v1/sandboxes',
  tag: 'Sandboxes',
  summary: 'Make a sandbox, and answer when it is ready',
  description:
    'With from_snapshot the key needs snapshot:read too, with snapshot_schedule snapshot:write, and with volumes volume:write, or volume:read where all are read-only.',
  access: 'sandbox:write',
  workspace: 'create',
  safe: false,
  audit: null,
  body: createSandboxBody,
  answer: sandboxItem,
  errors: [
    'capacity_exceeded',
    'egress_invalid',
    'engine_failed',
    'image_unknown',
    'plan_refused',
    'sandbox_exists',
    'snapshot_not_found',
    'snapshot_not_ready',
    'volume_attached',
    'volume_not_found',
    'volume_refused',
  ],
  async run({ body }, context) {
    if (body.from_snapshot !== undefined) requireScope(context.access, 'snapshot:read');
    return await makeSandbox(body, context);
  },
});
