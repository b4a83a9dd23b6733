import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { pageAnswer, pageFields, pageQuery, pageRequest } from '../paging.ts';
import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { queryFlag, workspaceName } from '../shared-schemas.ts';
import { toVolumeItem, volumeItem } from './volume-schemas.ts';

export const listVolumesRoute = defineRoute({
  operationId: 'listVolumes',
  method: 'get',
  path: '/api/v1/volumes',
  tag: 'Volumes',
  summary: 'List volumes',
  description: 'Newest first.',
  access: 'volume:read',
  workspace: 'own',
  safe: true,
  query: z.strictObject({
    ...pageQuery,
    attached: queryFlag.optional(),
    name_prefix: z.string().min(1).max(40).optional(),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({ volumes: z.array(volumeItem), ...pageFields }),
  async run({ query }, context) {
    const filter = givenFields({ attached: query.attached, namePrefix: query.name_prefix });
    const { sandboxes } = context.access;
    const found = await sandboxes.listVolumes(ownWorkspace(context), filter, pageRequest(query));
    return { volumes: found.items.map(toVolumeItem), ...pageAnswer(found, query) };
  },
});
