import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { toVolumeItem, volumeItem, volumeParams } from './volume-schemas.ts';

export const showVolumeRoute = defineRoute({
  operationId: 'getVolume',
  method: 'get',
  path: '/api/v1/volumes/{volume}',
  tag: 'Volumes',
  summary: 'Show a volume',
  access: 'volume:read',
  workspace: 'own',
  safe: true,
  params: volumeParams,
  answer: volumeItem,
  errors: ['volume_not_found'],
  run: async ({ params }, context) =>
    toVolumeItem(await context.access.sandboxes.findVolume(ownWorkspace(context), params.volume)),
});
