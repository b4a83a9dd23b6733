import { z } from 'zod';
import { artifactNameSchema } from '../artifact-name.ts';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { snapshotObject } from './snapshot-object.ts';

/** Answers as soon as it is begun. */
export const createSnapshotRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes/{sandboxId}/snapshots',
  status: 202,
  message: 'Snapshot creation started',
  scope: 'snapshot:write',
  safe: false,
  idempotent: true,
  body: z.object({ name: artifactNameSchema }),
  async run({ body: { name } }, context) {
    const { id } = await findSandbox(context, ['ready'], 'be snapshotted');
    const snapshot = await context.sandboxes.createSnapshot(context.workspace, id, { name });
    return { data: snapshotObject(snapshot) };
  },
});
