import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { snapshotParams } from './snapshot-schemas.ts';

export const deleteSnapshotRoute = defineRoute({
  operationId: 'deleteSnapshot',
  method: 'delete',
  path: '/api/v1/snapshots/{snapshot}',
  tag: 'Snapshots',
  summary: 'Delete a snapshot for good, with its files',
  description: 'One that is being made is deleted as soon as it is there.',
  access: 'snapshot:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: snapshotParams,
  answer: z.null(),
  status: 204,
  errors: ['snapshot_not_found'],
  async run({ params }, context) {
    await context.access.sandboxes.deleteSnapshot(ownWorkspace(context), params.snapshot);
    return null;
  },
});
