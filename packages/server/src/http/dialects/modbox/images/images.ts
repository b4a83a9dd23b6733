import {
  newResourceId,
  type Registry,
  requireOfRegistry,
  type SandboxImage,
  SandgateError,
} from '@sandgate/core';
import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { type AuthorisedModboxContext, defineModboxRoute } from '../modbox-route.ts';
import { resourceIdOf } from '../sandboxes/resource-uuid.ts';
import { imageDetail, templateDetail, templateOfUuid } from './image-detail.ts';

const maxImagesOfWorkspace = 1_000;

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
    const own = await context.storage.images.list(workspace.id);
    const registries = await context.storage.registries.list(workspace.id);
    const registryOf = ({ registryId }: SandboxImage) =>
      registries.find(({ id }) => id === registryId) ?? null;
    const hasDefault = own.some(({ isDefault }) => isDefault);
    const shown = [
      ...own.map((image) => imageDetail(image, workspace, registryOf(image))),
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
    const image = await namedImage(context);
    const workspace = namedWorkspace(context);
    const registry = await findRegistry(context, image.registryId);
    return imageDetail(image, workspace, registry);
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
    const { storage, clock, randomness } = context;
    const workspace = namedWorkspace(context);
    const nowMs = clock.nowMs();
    const registry = await requireRegistryFor(context, body.image, body.registry_id);
    const image: SandboxImage = {
      id: newResourceId(clock, randomness),
      workspaceId: workspace.id,
      name: body.name,
      image: body.image,
      tag: body.tag,
      registryId: registry?.id ?? null,
      description: body.description,
      enabled: body.enabled,
      isDefault: body.is_default,
      memoryMib: body.memory_mb,
      ttlMs: toMs(body.ttl_seconds),
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    await storage.images.insert(image, maxImagesOfWorkspace, recordOf(context));
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
    const stored = await namedImage(context);
    const { description, memory_mb, ttl_seconds, registry_id } = body;
    const name = body.image ?? stored.image;
    // One that is deleted may stay named, so that everything else can be changed.
    const registry =
      registry_id === undefined
        ? await findRegistry(context, stored.registryId)
        : await requireRegistryFor(context, name, registry_id);
    if (registry !== null) requireOfRegistry(name, registry);
    const image: SandboxImage = {
      ...stored,
      name: body.name ?? stored.name,
      image: name,
      registryId: registry_id === undefined ? stored.registryId : (registry?.id ?? null),
      tag: body.tag ?? stored.tag,
      description: description === undefined ? stored.description : description,
      enabled: body.enabled ?? stored.enabled,
      isDefault: body.is_default ?? stored.isDefault,
      memoryMib: memory_mb === undefined ? stored.memoryMib : memory_mb,
      ttlMs: ttl_seconds === undefined ? stored.ttlMs : toMs(ttl_seconds),
      updatedAtMs: context.clock.nowMs(),
    };
    const changed = await context.storage.images.update(image, recordOf(context));
    if (!changed) throw noImage();
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
    const { id } = await namedImage(context);
    const workspace = namedWorkspace(context);
    const removed = await context.storage.images.remove(workspace.id, id, recordOf(context));
    if (!removed) throw noImage();
    return { success: true };
  },
});

const recordOf =
  ({ change }: AuthorisedModboxContext) =>
  ({ id, name }: SandboxImage) => {
    change.note({ target: `image:${id}`, details: { name } });
    return change.append();
  };

const findRegistry = async (
  context: AuthorisedModboxContext,
  id: string | null,
): Promise<Registry | null> =>
  id === null ? null : await context.storage.registries.find(namedWorkspace(context).id, id);

/** @throws SandgateError `invalid_request` */
async function requireRegistryFor(
  context: AuthorisedModboxContext,
  image: string,
  uuid: string | null,
): Promise<Registry | null> {
  if (uuid === null) return null;
  const registry = await findRegistry(context, resourceIdOf(uuid));
  if (registry === null) {
    throw new SandgateError('invalid_request', 'registry_id: there is no such registry here');
  }
  requireOfRegistry(image, registry);
  return registry;
}

/** @throws SandgateError `not_found`, `role_refused` for one that is every workspace's */
async function namedImage(context: AuthorisedModboxContext): Promise<SandboxImage> {
  const { image_id = '' } = context.params;
  const id = resourceIdOf(image_id);
  const { storage, access } = context;
  const found = id === null ? null : await storage.images.find(namedWorkspace(context).id, id);
  if (found !== null) return found;
  if (templateOfUuid(access.sandboxes, image_id) === null) throw noImage();
  throw new SandgateError(
    'role_refused',
    'This image is of the server itself. The operator can change it, in the configuration',
  );
}

const noImage = (): SandgateError => new SandgateError('not_found', 'Image not found');
