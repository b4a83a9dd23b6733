import { invalidImage } from '../registry/registry-failure.ts';

/** One entry of a layer's archive. What a file holds is in a file of its own, named by its number. */
export type LayerEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly number: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  /** Another name of what the image has at `target` by then. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** Something that sandboxes cannot have, as a device: nothing is there. */
  | { readonly kind: 'nothing'; readonly path: string }
  /** The layers below have nothing there. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** The layers below have nothing in that directory. */
  | { readonly kind: 'opaque'; readonly path: string };

const maxPathBytes = 4_096;
const maxNameBytes = 255;
const whiteoutPrefix = '.wh.';
const opaqueName = '.wh..wh..opq';

/** Names from the root on. @throws SandgateError `image_invalid` for what would leave it */
export function entryPath(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const wrong =
    Buffer.byteLength(name) > maxPathBytes ||
    parts.some(
      (part) => part === '..' || part.includes('\0') || Buffer.byteLength(part) > maxNameBytes,
    );
  if (wrong) throw invalidImage(`a layer has an entry ${JSON.stringify(name.slice(0, 100))}`);
  return parts;
}

/**
 * What an entry hides of the layers below (OCI image layer, "Whiteouts"). Null: it is none of these. Others
 * with the prefix are marks of aufs, and stand for nothing.
 */
export function readWhiteout(parts: readonly string[]): LayerEntry | 'mark' | null {
  const name = parts.at(-1);
  if (name === undefined || !name.startsWith(whiteoutPrefix)) return null;
  const parent = parts.slice(0, -1);
  if (name === opaqueName) return { kind: 'opaque', path: parent.join('/') };
  const hidden = name.slice(whiteoutPrefix.length);
  if (hidden.startsWith(whiteoutPrefix)) return 'mark';
  // What is left of it must be a name, and not the directory itself or the one above.
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw invalidImage(`a layer has an entry ${JSON.stringify(name)}`);
  }
  return { kind: 'whiteout', path: [...parent, hidden].join('/') };
}
