import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { snapshotItem, snapshotParams, toSnapshotItem } from './snapshot-schemas.ts';

export const showSnapshotRoute = defineRoute({
  operationId: 'getSnapshot',
  method: 'get',
  path: '/api/v1/snapshots/{snapshot}',
  tag: 'Snapshots',
  summary: 'Show a snapshot',
  access: 'snapshot:read',
  workspace: 'own',
  safe: true,
  params: snapshotParams,
  answer: snapshotItem,
  errors: ['snapshot_not_found'],
  run: async ({ params }, context) =>
    toSnapshotItem(
      await context.access.sandboxes.findSnapshot(ownWorkspace(context), params.snapshot),
    ),
});
