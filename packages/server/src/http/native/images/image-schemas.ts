import {
  defaultWorkspaceSlug,
  type ImageWithRegistry,
  registryNamedBy,
  requireImage,
} from '@sandgate/core';
import { z } from 'zod';
import type { AuthorisedContext } from '../route.ts';
import { heldKey, holdsNoKey, time, toTime } from '../shared-schemas.ts';

export const imageParams = z.strictObject({
  image: z.string().min(1).max(255).meta({ description: 'Its id or name' }),
});

const settings = {
  name: z.string().min(1).max(255).refine(holdsNoKey, heldKey).meta({
    description: 'What sandboxes name as their template. One of the server’s own of that name wins',
  }),
  image: z.string().min(1).max(512).refine(holdsNoKey, heldKey).meta({
    description:
      'As in debian, which is docker.io/library/debian, ghcr.io/owner/name or registry.example:5000/team/app',
  }),
  tag: z.string().min(1).max(128).refine(holdsNoKey, heldKey),
  description: z.string().max(1_000).refine(holdsNoKey, heldKey).nullable(),
  registry_id: z.string().max(64).nullable().meta({
    description: 'As whose user it is pulled; null as nobody in particular',
  }),
  enabled: z.boolean(),
  memory_mib: z.int().positive().nullable().meta({ description: 'Of a sandbox that names none' }),
  max_lifetime_seconds: z.int().positive().max(3_153_600_000).nullable().meta({
    description: 'Of a sandbox that names none',
  }),
};

export const newImageBody = z.strictObject({
  ...settings,
  tag: settings.tag.default('latest'),
  description: settings.description.default(null),
  registry_id: settings.registry_id.default(null),
  enabled: settings.enabled.default(true),
  memory_mib: settings.memory_mib.default(null),
  max_lifetime_seconds: settings.max_lifetime_seconds.default(null),
});

export const imageChangesBody = z.strictObject(settings).partial();

export const imageItem = z
  .strictObject({
    id: z.string(),
    workspace_id: z.string(),
    ...settings,
    registry_name: z.string().nullable(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Image' });

/** A name without a registry is Docker Hub's, as everywhere; one of a stored registry is within that. */
export const qualified = (image: string, registryId: string | null): string =>
  registryId !== null || registryNamedBy(image) !== null
    ? image
    : `docker.io/${image.includes('/') ? '' : 'library/'}${image}`;

export const toMs = (seconds: number | null): number | null =>
  seconds === null ? null : seconds * 1_000;

export const toImageItem = ({ image, registry }: ImageWithRegistry): z.input<typeof imageItem> => ({
  id: image.id,
  workspace_id: image.workspaceId,
  name: image.name,
  image: image.image,
  tag: image.tag,
  description: image.description,
  registry_id: image.registryId,
  registry_name: registry?.name ?? null,
  enabled: image.enabled,
  memory_mib: image.memoryMib,
  max_lifetime_seconds: image.ttlMs === null ? null : image.ttlMs / 1_000,
  created_at: toTime(image.createdAtMs),
  updated_at: toTime(image.updatedAtMs),
});

/**
 * By its id, or the oldest of its name in the workspace that the call is about. An operator's call that names
 * none has the ids of all of them, and the names of `default`.
 * @throws SandgateError `not_found`
 */
export async function namedImage(
  { storage, access: { workspace } }: AuthorisedContext,
  reference: string,
): Promise<ImageWithRegistry> {
  const named = workspace ?? (await storage.workspaces.findBySlug(defaultWorkspaceSlug));
  const images = named === null ? [] : await storage.images.list(named.id);
  const isId = images.some(({ id }) => id === reference);
  const called = isId ? undefined : images.find(({ name }) => name === reference);
  return await requireImage(storage, workspace, called?.id ?? reference);
}
