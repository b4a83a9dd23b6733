import { addImage } from '@sandgate/core';
import { namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import { imageItem, newImageBody, qualified, toImageItem, toMs } from './image-schemas.ts';

export const addImageRoute = defineRoute({
  operationId: 'addImage',
  method: 'post',
  path: '/api/v1/images',
  tag: 'Images',
  summary: 'Let sandboxes be made of an image',
  description:
    'Nothing is pulled yet: that is done by the first sandbox, or by POST /api/v1/images/{image}/pull.',
  access: 'workspace:manage',
  workspace: 'own',
  safe: false,
  audit: 'image.create',
  body: newImageBody.extend({ workspace: workspaceName.optional() }),
  answer: imageItem,
  errors: ['quota_exceeded'],
  run: async ({ body }, context) =>
    toImageItem(
      await addImage(context, namedWorkspace(context), {
        name: body.name,
        image: qualified(body.image, body.registry_id),
        tag: body.tag,
        description: body.description,
        registryId: body.registry_id,
        enabled: body.enabled,
        isDefault: false,
        memoryMib: body.memory_mib,
        ttlMs: toMs(body.max_lifetime_seconds),
      }),
    ),
});
