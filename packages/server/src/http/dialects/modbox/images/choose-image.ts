import { type DoorSandboxes, SandgateError, type Storage, type Workspace } from '@sandgate/core';
import { resourceIdOf } from '../sandboxes/resource-uuid.ts';
import { templateOfUuid } from './image-detail.ts';

/** What a new sandbox takes of the image that is chosen for it. */
export interface ChosenImage {
  /** Undefined: the server's default. */
  readonly template?: string;
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
  const reference = found.tag === 'latest' ? found.image : `${found.image}:${found.tag}`;
  return {
    ...byReference(sandboxes, reference),
    ...(found.memoryMib === null ? {} : { memoryMib: found.memoryMib }),
    ...(found.ttlMs === null ? {} : { ttlMs: found.ttlMs }),
  };
}

/** What is no template of this server is refused where the sandbox is made, with the names of those that are. */
function byReference(sandboxes: DoorSandboxes, reference: string): ChosenImage {
  const plain = reference.replace(/:latest$/, '');
  const isHere = (name: string) =>
    sandboxes.templates().some((each) => each.name === name || each.image === name);
  if (plain === codeImage && !isHere(plain)) return {};
  return { template: isHere(plain) ? plain : reference };
}
