import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { volumeParams } from './volume-schemas.ts';

export const deleteVolumeRoute = defineRoute({
  operationId: 'deleteVolume',
  method: 'delete',
  path: '/api/v1/volumes/{volume}',
  tag: 'Volumes',
  summary: 'Delete a volume for good, with what is on it',
  description: 'One that is attached is refused: stop or destroy its sandbox first.',
  access: 'volume:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: volumeParams,
  answer: z.null(),
  status: 204,
  errors: ['volume_attached', 'volume_not_found'],
  async run({ params }, context) {
    await context.access.sandboxes.deleteVolume(ownWorkspace(context), params.volume);
    return null;
  },
});
