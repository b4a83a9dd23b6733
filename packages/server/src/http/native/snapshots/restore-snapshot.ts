import { defineRoute } from '../route.ts';
import { makeSandbox } from '../sandboxes/make-sandbox.ts';
import { createSandboxBody, sandboxItem } from '../sandboxes/sandbox-schemas.ts';
import { snapshotParams } from './snapshot-schemas.ts';

export const restoreSnapshotRoute = defineRoute({
  operationId: 'restoreSnapshot',
  method: 'post',
  path: '/api/v1/snapshots/{snapshot}/restore',
  tag: 'Snapshots',
  summary: 'Make a sandbox that starts with the files of a snapshot',
  description:
    'It is made of what the snapshot’s sandbox was, where the body does not say otherwise. The snapshot stays.',
  access: 'sandbox:write',
  alsoNeeds: ['snapshot:read'],
  workspace: 'own',
  safe: false,
  audit: null,
  params: snapshotParams,
  body: createSandboxBody.omit({ from_snapshot: true, template: true, workspace: true }).optional(),
  answer: sandboxItem,
  errors: [
    'capacity_exceeded',
    'engine_failed',
    'plan_refused',
    'sandbox_exists',
    'snapshot_not_found',
    'snapshot_not_ready',
  ],
  run: async ({ params, body = {} }, context) =>
    await makeSandbox({ ...body, from_snapshot: params.snapshot }, context),
});
