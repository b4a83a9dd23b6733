import {
  type DoorSandboxes,
  type RegistryImage,
  registryImageOf,
  SandgateError,
  type Storage,
  taggedName,
  type Workspace,
} from '@sandgate/core';
import { resourceIdOf } from '../sandboxes/resource-uuid.ts';
import { templateOfUuid } from './image-detail.ts';

/** What a new sandbox takes of the image that is chosen for it. */
export interface ChosenImage {
  /** Undefined: the server's default. */
  readonly template?: string;
  /** Instead of a template. */
  readonly registryImage?: RegistryImage;
  readonly memoryMib?: number;
  readonly ttlMs?: number;
}

/** The one of Modbox's images that this server's default can stand for: Python, Node and a shell. */
const codeImage = 'modbox/code-exec';

/**
 * By the id of an image, or else by a reference; without either, the workspace's default.
 * @throws SandgateError `image_unknown`
 */
export async function chooseImage(
  { storage, sandboxes }: { readonly storage: Storage; readonly sandboxes: DoorSandboxes },
  workspace: Workspace,
  { image_id, image }: { readonly image_id: string | null; readonly image: string | null },
): Promise<ChosenImage> {
  if (image_id === null && image !== null) return byReference(sandboxes, image);
  if (image_id !== null) {
    const template = templateOfUuid(sandboxes, image_id);
    if (template !== null) return { template: template.name };
  }
  const id = image_id === null ? null : resourceIdOf(image_id);
  const images = await storage.images.list(workspace.id);
  const found = images.find((each) => (image_id === null ? each.isDefault : each.id === id));
  if (found === undefined && image_id === null) return {};
  if (found === undefined) throw new SandgateError('image_unknown', 'There is no such image');
  if (!found.enabled) {
    throw new SandgateError('image_unknown', `The image "${found.name}" is not enabled`);
  }
  const name = taggedName(found);
  const isTemplate = found.registryId === null && templateOf(sandboxes, name) !== undefined;
  const registryImage = isTemplate ? null : await registryImageOf(storage, found);
  return {
    ...(registryImage === null ? byReference(sandboxes, name) : { registryImage }),
    ...(found.memoryMib === null ? {} : { memoryMib: found.memoryMib }),
    ...(found.ttlMs === null ? {} : { ttlMs: found.ttlMs }),
  };
}

/** What is no template of this server is refused where the sandbox is made, with the names of those that are. */
function byReference(sandboxes: DoorSandboxes, reference: string): ChosenImage {
  const here = templateOf(sandboxes, reference);
  if (here === undefined && plainName(reference) === codeImage) return {};
  return { template: here ?? plainName(reference) };
}

/** By the name that a template is offered as, or the engine's. */
const templateOf = (sandboxes: DoorSandboxes, reference: string): string | undefined =>
  [plainName(reference), reference].find((name) =>
    sandboxes.templates().some((each) => each.name === name || each.image === name),
  );

const plainName = (reference: string): string => reference.replace(/:latest$/, '');
