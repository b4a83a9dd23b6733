import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { heldKey, holdsNoKey, workspaceName } from '../shared-schemas.ts';
import { toVolumeItem, volumeItem } from './volume-schemas.ts';

export const createVolumeRoute = defineRoute({
  operationId: 'createVolume',
  method: 'post',
  path: '/api/v1/volumes',
  tag: 'Volumes',
  summary: 'Make an empty volume of a size, and answer when it is there',
  description:
    'It outlives every sandbox that it is attached to, one at a time, by volumes of POST /api/v1/sandboxes.',
  access: 'volume:write',
  workspace: 'own',
  safe: false,
  audit: null,
  body: z.strictObject({
    name: z
      .string()
      .max(40)
      .refine(holdsNoKey, heldKey)
      .meta({ description: 'a-z, 0-9 and hyphens; of no other volume of the workspace' }),
    size_mib: z.int().positive(),
    workspace: workspaceName.optional(),
  }),
  answer: volumeItem,
  errors: ['capability_missing', 'disk_full', 'plan_refused', 'volume_exists'],
  async run({ body: { name, size_mib: sizeMib } }, context) {
    const { sandboxes } = context.access;
    return toVolumeItem(await sandboxes.createVolume(ownWorkspace(context), { name, sizeMib }));
  },
});
