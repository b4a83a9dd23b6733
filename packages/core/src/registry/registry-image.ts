import { SandgateError } from '../error/sandgate-error.ts';
import type { Storage } from '../port/storage.ts';
import type { RegistryImage } from '../sandbox/sandbox-definition.ts';
import type { SandboxImage } from '../sandbox/sandbox-image.ts';
import type { Registry } from './registry.ts';
import { referenceAt, registryNamedBy } from './registry-server.ts';
import { requireRegistry } from './use-registries.ts';

/** Its name with its tag, unless the name has one, or a digest. */
export const taggedName = ({ image, tag }: Pick<SandboxImage, 'image' | 'tag'>): string =>
  /@|:[^/]*$/.test(image) ? image : `${image}:${tag}`;

/** @throws SandgateError `invalid_request` */
export function requireOfRegistry(image: string, { name, server }: Registry): void {
  if (referenceAt(server, image) !== null) return;
  throw new SandgateError(
    'invalid_request',
    `image: ${registryNamedBy(image)} is another registry than "${name}", which is ${server}`,
  );
}

/**
 * What is pulled for an image of a workspace. Null for one that names no registry at all.
 * @throws SandgateError `image_unknown`, `invalid_request`
 */
export async function registryImageOf(
  storage: Pick<Storage, 'registries'>,
  image: SandboxImage,
): Promise<RegistryImage | null> {
  const { workspaceId, registryId } = image;
  const name = taggedName(image);
  if (registryId === null) {
    return registryNamedBy(image.image) === null
      ? null
      : { reference: name, registryId, pinned: null };
  }
  const registry = await requireRegistry(storage, workspaceId, registryId);
  requireOfRegistry(image.image, registry);
  return { reference: referenceAt(registry.server, name) ?? name, registryId, pinned: null };
}
