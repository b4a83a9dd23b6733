import { listImages } from '@sandgate/core';
import { z } from 'zod';
import { namedWorkspace } from '../../people/workspace-caller.ts';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import { imageItem, imageParams, namedImage, toImageItem } from './image-schemas.ts';

export const listImagesRoute = defineRoute({
  operationId: 'listImages',
  method: 'get',
  path: '/api/v1/images',
  tag: 'Images',
  summary: 'List the images of a workspace, the oldest first',
  description: 'What the server itself has is in GET /api/v1/templates.',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  query: z.strictObject({ workspace: workspaceName.optional() }),
  answer: z.strictObject({ images: z.array(imageItem) }),
  run: async (_, context) => ({
    images: (await listImages(context.storage, namedWorkspace(context))).map(toImageItem),
  }),
});

export const showImageRoute = defineRoute({
  operationId: 'getImage',
  method: 'get',
  path: '/api/v1/images/{image}',
  tag: 'Images',
  summary: 'Show an image',
  access: 'sandbox:read',
  workspace: 'reach',
  safe: true,
  params: imageParams,
  answer: imageItem,
  errors: ['not_found'],
  run: async ({ params }, context) => toImageItem(await namedImage(context, params.image)),
});
