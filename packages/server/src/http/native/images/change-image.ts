import { changeImage, removeImage } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import {
  imageChangesBody,
  imageItem,
  imageParams,
  namedImage,
  qualified,
  toImageItem,
  toMs,
} from './image-schemas.ts';

export const updateImageRoute = defineRoute({
  operationId: 'updateImage',
  method: 'patch',
  path: '/api/v1/images/{image}',
  tag: 'Images',
  summary: 'Change an image',
  description:
    'What is left out stays as it is. Sandboxes that were made of it stay on what they began with.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'image.update',
  params: imageParams,
  body: imageChangesBody,
  answer: imageItem,
  errors: ['not_found'],
  async run({ params, body }, context) {
    const { image } = await namedImage(context, params.image);
    const { max_lifetime_seconds: seconds, registry_id: registryId = image.registryId } = body;
    return toImageItem(
      await changeImage(context, image, {
        name: body.name,
        image: body.image === undefined ? undefined : qualified(body.image, registryId),
        tag: body.tag,
        description: body.description,
        registryId: body.registry_id,
        enabled: body.enabled,
        memoryMib: body.memory_mib,
        ttlMs: seconds === undefined ? undefined : toMs(seconds),
      }),
    );
  },
});

export const removeImageRoute = defineRoute({
  operationId: 'removeImage',
  method: 'delete',
  path: '/api/v1/images/{image}',
  tag: 'Images',
  summary: 'Let no more sandboxes be made of an image',
  description: 'Those that were made of it stay.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'image.delete',
  params: imageParams,
  answer: z.null(),
  status: 204,
  errors: ['not_found'],
  async run({ params }, context) {
    const { image } = await namedImage(context, params.image);
    await removeImage(context, image);
    return null;
  },
});
