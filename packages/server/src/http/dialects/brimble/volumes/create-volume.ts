import { z } from 'zod';
import { artifactNameSchema } from '../artifact-name.ts';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { requireRegion } from '../region.ts';
import { optional, teamId } from '../resource-ids.ts';
import { volumeObject } from './volume-object.ts';

export const createVolumeRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/volumes',
  status: 201,
  message: 'Volume created',
  scope: 'volume:write',
  safe: false,
  idempotent: true,
  body: z.object({
    name: artifactNameSchema,
    sizeGB: z.int().min(10).max(50),
    region: optional(z.string()),
    type: optional(
      z.literal('sandbox', { error: 'must be sandbox: this server has no other volumes' }),
    ),
    teamId,
  }),
  async run({ body }, { sandboxes, workspace }) {
    const volume = await sandboxes.createVolume(workspace, {
      name: body.name,
      sizeMib: body.sizeGB * 1_024,
      region: requireRegion(body.region).id,
    });
    return { data: volumeObject(volume, workspace) };
  },
});
