import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { SandboxImage } from '../sandbox/sandbox-image.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Registry } from './registry.ts';
import { requireOfRegistry } from './registry-image.ts';

/** Nothing is changed without a record of it. */
export interface ImageChangeDependencies {
  readonly storage: Pick<Storage, 'images' | 'registries'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly change: AuditedChange;
}

export type NewImage = Omit<SandboxImage, 'id' | 'workspaceId' | 'createdAtMs' | 'updatedAtMs'>;

export type ImageChanges = {
  readonly [Field in keyof NewImage]?: NewImage[Field] | undefined;
};

/** An image, and the registry that it is of; null for none, and for one that is deleted. */
export interface ImageWithRegistry {
  readonly image: SandboxImage;
  readonly registry: Registry | null;
}

const maxImagesOfWorkspace = 1_000;

const noImage = (): SandgateError => new SandgateError('not_found', 'Image not found');

/** @throws SandgateError `invalid_request` for a registry that is not there, `quota_exceeded` */
export async function addImage(
  { storage, clock, randomness, change }: ImageChangeDependencies,
  workspace: Pick<Workspace, 'id'>,
  wanted: NewImage,
): Promise<ImageWithRegistry> {
  const registry = await requireRegistryFor(storage, workspace, wanted);
  const nowMs = clock.nowMs();
  const image: SandboxImage = {
    ...wanted,
    id: newResourceId(clock, randomness),
    workspaceId: workspace.id,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  await storage.images.insert(image, maxImagesOfWorkspace, recordOf(change));
  return { image, registry };
}

/** What is left out stays as it is. @throws SandgateError `not_found`, `invalid_request` */
export async function changeImage(
  { storage, clock, change }: ImageChangeDependencies,
  stored: SandboxImage,
  changes: ImageChanges,
): Promise<ImageWithRegistry> {
  const given = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  );
  const image: SandboxImage = { ...stored, ...given, updatedAtMs: clock.nowMs() };
  const workspace = { id: stored.workspaceId };
  // One that is deleted may stay named, so that everything else can be changed.
  const registry =
    changes.registryId === undefined
      ? await findRegistry(storage, workspace, stored.registryId)
      : await requireRegistryFor(storage, workspace, image);
  if (registry !== null) requireOfRegistry(image.image, registry);
  if (!(await storage.images.update(image, recordOf(change)))) throw noImage();
  return { image, registry };
}

/** Sandboxes that were made of it stay. @throws SandgateError `not_found` */
export async function removeImage(
  { storage, change }: Pick<ImageChangeDependencies, 'storage' | 'change'>,
  { workspaceId, id }: SandboxImage,
): Promise<void> {
  if (!(await storage.images.remove(workspaceId, id, recordOf(change)))) throw noImage();
}

/** Within a workspace; null is an operator, who reaches all of them. @throws SandgateError `not_found` */
export async function requireImage(
  storage: Pick<Storage, 'images' | 'registries'>,
  workspace: Pick<Workspace, 'id'> | null,
  id: string | null,
): Promise<ImageWithRegistry> {
  const image = id === null ? null : await storage.images.find(workspace?.id, id);
  if (image === null) throw noImage();
  const registry = await findRegistry(storage, { id: image.workspaceId }, image.registryId);
  return { image, registry };
}

/** Oldest first. */
export async function listImages(
  storage: Pick<Storage, 'images' | 'registries'>,
  workspace: Pick<Workspace, 'id'>,
): Promise<readonly ImageWithRegistry[]> {
  const images = await storage.images.list(workspace.id);
  const registries = await storage.registries.list(workspace.id);
  const registryOf = ({ registryId }: SandboxImage) =>
    registries.find(({ id }) => id === registryId) ?? null;
  return images.map((image) => ({ image, registry: registryOf(image) }));
}

const recordOf =
  (change: AuditedChange) =>
  ({ id, name }: SandboxImage) => {
    change.note({ target: `image:${id}`, details: { name } });
    return change.append();
  };

const findRegistry = async (
  storage: Pick<Storage, 'registries'>,
  workspace: Pick<Workspace, 'id'>,
  id: string | null,
): Promise<Registry | null> =>
  id === null ? null : await storage.registries.find(workspace.id, id);

async function requireRegistryFor(
  storage: Pick<Storage, 'registries'>,
  workspace: Pick<Workspace, 'id'>,
  { image, registryId }: Pick<SandboxImage, 'image' | 'registryId'>,
): Promise<Registry | null> {
  if (registryId === null) return null;
  const registry = await findRegistry(storage, workspace, registryId);
  if (registry === null) {
    throw new SandgateError('invalid_request', 'registry_id: there is no such registry here');
  }
  requireOfRegistry(image, registry);
  return registry;
}
