import { artifactName } from '@sandgate/core';
import { z } from 'zod';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { snapshotObject } from './snapshot-object.ts';

/** What names of snapshots and volumes look like, for those who get it wrong. */
export const artifactNameSchema = z.string().regex(artifactName, {
  error: 'must be 1 to 40 characters of a-z, 0-9 and hyphens',
});

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
