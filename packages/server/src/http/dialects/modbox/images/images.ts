import {
  addImage,
  changeImage,
  type ImageWithRegistry,
  listImages,
  removeImage,
  requireImage,
  SandgateError,
} from '@sandgate/core';
import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { type AuthorisedModboxContext, defineModboxRoute } from '../modbox-route.ts';
import { resourceIdOf } from '../sandboxes/resource-uuid.ts';
import { imageDetail, templateDetail, templateOfUuid } from './image-detail.ts';

/** Bounds of both writes: the documentation gives the larger memory for one, the smaller for the other. */
const fields = {
  name: z.string().min(1).max(255),
  image: z.string().min(1).max(512),
  tag: z.string().min(1).max(128),
  description: z.string().max(1_000).nullable(),
  enabled: z.boolean(),
  is_default: z.boolean(),
  memory_mb: z.int().min(256).max(8_192).nullable(),
  ttl_seconds: z.int().min(60).max(86_400).nullable(),
  registry_id: z.uuid().nullable(),
};

const unsupported = z.null({ error: 'is not supported by this server: leave it out' }).optional();

const createBody = z.object({
  ...fields,
  tag: fields.tag.default('latest'),
  description: fields.description.default(null),
  enabled: fields.enabled.default(true),
  is_default: fields.is_default.default(false),
  memory_mb: fields.memory_mb.default(1_024),
  ttl_seconds: fields.ttl_seconds.default(null),
  registry_id: fields.registry_id.default(null),
  readiness_port: unsupported,
});

const updateBody = z.object({
  name: fields.name.nullish(),
  image: fields.image.nullish(),
  tag: fields.tag.nullish(),
  description: fields.description.optional(),
  enabled: fields.enabled.nullish(),
  is_default: fields.is_default.nullish(),
  memory_mb: fields.memory_mb.optional(),
  ttl_seconds: fields.ttl_seconds.optional(),
  registry_id: fields.registry_id.optional(),
  readiness_port: unsupported,
});

const toMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);

/** Those of the workspace, and those that every workspace has. */
export const listImagesRoute = defineModboxRoute({
  method: 'get',
  path: '/sandbox-images',
  access: 'sandbox:read',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const workspace = namedWorkspace(context);
    const own = await listImages(context.storage, workspace);
    const hasDefault = own.some(({ image }) => image.isDefault);
    const shown = [
      ...own.map(({ image, registry }) => imageDetail(image, workspace, registry)),
      ...context.access.sandboxes
        .templates()
        .map((template) => templateDetail(template, template.isDefault && !hasDefault)),
    ];
    const enabledOnly = context.query.get('enabled_only') === 'true';
    return { images: enabledOnly ? shown.filter(({ enabled }) => enabled) : shown };
  },
});

export const showImageRoute = defineModboxRoute({
  method: 'get',
  path: '/sandbox-images/{image_id}',
  access: 'sandbox:read',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const template = templateOfUuid(context.access.sandboxes, context.params.image_id ?? '');
    if (template !== null) return templateDetail(template, template.isDefault);
    const { image, registry } = await namedImage(context);
    return imageDetail(image, namedWorkspace(context), registry);
  },
});

export const createImageRoute = defineModboxRoute({
  method: 'post',
  path: '/sandbox-images',
  status: 201,
  access: 'workspace:manage',
  workspace: 'header',
  audit: 'image.create',
  body: createBody,
  async run(body, context) {
    const workspace = namedWorkspace(context);
    const { image, registry } = await addImage(context, workspace, {
      name: body.name,
      image: body.image,
      tag: body.tag,
      registryId: registryIdOf(body.registry_id),
      description: body.description,
      enabled: body.enabled,
      isDefault: body.is_default,
      memoryMib: body.memory_mb,
      ttlMs: toMs(body.ttl_seconds),
    });
    return imageDetail(image, workspace, registry);
  },
});

/** What is left out stays as it is. */
export const updateImageRoute = defineModboxRoute({
  method: 'put',
  path: '/sandbox-images/{image_id}',
  access: 'workspace:manage',
  workspace: 'header',
  audit: 'image.update',
  body: updateBody,
  async run(body, context) {
    const { image: stored } = await namedImage(context);
    const { description, memory_mb: memoryMib, ttl_seconds, registry_id } = body;
    const { image, registry } = await changeImage(context, stored, {
      name: body.name ?? undefined,
      image: body.image ?? undefined,
      registryId: registry_id === undefined ? undefined : registryIdOf(registry_id),
      tag: body.tag ?? undefined,
      description,
      enabled: body.enabled ?? undefined,
      isDefault: body.is_default ?? undefined,
      memoryMib,
      ttlMs: ttl_seconds === undefined ? undefined : toMs(ttl_seconds),
    });
    return imageDetail(image, namedWorkspace(context), registry);
  },
});

/** Sandboxes that were made of it stay. */
export const deleteImageRoute = defineModboxRoute({
  method: 'delete',
  path: '/sandbox-images/{image_id}',
  access: 'workspace:manage',
  workspace: 'header',
  audit: 'image.delete',
  async run(_, context) {
    const { image } = await namedImage(context);
    await removeImage(context, image);
    return { success: true };
  },
});

/** An id that is none is that of no registry. */
const registryIdOf = (uuid: string | null): string | null =>
  uuid === null ? null : (resourceIdOf(uuid) ?? '');

/** @throws SandgateError `not_found`, `role_refused` for one that is every workspace's */
async function namedImage(context: AuthorisedModboxContext): Promise<ImageWithRegistry> {
  const { image_id = '' } = context.params;
  const { storage, access } = context;
  if (templateOfUuid(access.sandboxes, image_id) === null) {
    return await requireImage(storage, namedWorkspace(context), resourceIdOf(image_id));
  }
  throw new SandgateError(
    'role_refused',
    'This image is of the server itself. The operator can change it, in the configuration',
  );
}
