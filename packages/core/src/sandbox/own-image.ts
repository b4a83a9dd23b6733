import type { Storage } from '../port/storage.ts';
import { registryImageOf, taggedName } from '../registry/registry-image.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { RequestedSandbox } from './build-definition.ts';
import type { RegistryImage, SandboxDefinition } from './sandbox-definition.ts';
import type { SandboxImage } from './sandbox-image.ts';
import type { TemplateCatalogue } from './template-catalogue.ts';

/** What a sandbox takes of an image of its workspace. */
export interface OwnImage {
  readonly image: SandboxImage;
  /** Null: it stands for a template of the server, `name`. */
  readonly registryImage: RegistryImage | null;
  readonly name: string;
}

/**
 * The image of a workspace that is called so, where no template of the server is. Null: there is none, or
 * it is not enabled.
 * @throws SandgateError `image_unknown`, `invalid_request` for one whose registry is not as it was
 */
export async function findOwnImage(
  storage: Pick<Storage, 'images' | 'registries'>,
  catalogue: TemplateCatalogue,
  workspace: Workspace,
  name: string,
): Promise<OwnImage | null> {
  if (catalogue.has(name)) return null;
  const images = await storage.images.list(workspace.id);
  const image = images.find((each) => each.enabled && each.name === name);
  if (image === undefined) return null;
  const plain = taggedName(image).replace(/:latest$/, '');
  const isTemplate = image.registryId === null && catalogue.has(plain);
  return {
    image,
    name: plain,
    registryImage: isTemplate ? null : await registryImageOf(storage, image),
  };
}

/**
 * What a start asks for, where the name of its image may be that of one of the workspace. A sandbox of the
 * same image stays on what it began with.
 * @throws SandgateError as `findOwnImage` does
 */
export async function withOwnImage(
  parts: {
    readonly storage: Pick<Storage, 'images' | 'registries'>;
    readonly catalogue: () => Promise<TemplateCatalogue>;
  },
  workspace: Workspace,
  requested: RequestedSandbox,
  stored: SandboxDefinition | null,
): Promise<RequestedSandbox> {
  const { image } = requested;
  if (image === undefined) return requested;
  const catalogue = await parts.catalogue();
  const found = await findOwnImage(parts.storage, catalogue, workspace, image);
  if (found === null) return requested;
  const { registryImage } = found;
  if (registryImage === null) return { ...requested, image: catalogue.find(found.name).image };
  const { reference, registryId } = registryImage;
  const last = stored?.registryImage;
  const isSame = last?.reference === reference && last.registryId === registryId;
  return { ...requested, image: reference, registryImage: isSame ? last : registryImage };
}
