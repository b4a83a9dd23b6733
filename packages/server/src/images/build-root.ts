import { chmod, link, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageDirectory, ImageNode } from './merge-layers.ts';

const atOnce = 64;

/**
 * Makes the tree of an image in a directory that is not there yet. Only directories that were made here are
 * written in, and links are never walked through. What files hold is shared with the layers.
 */
export async function buildRoot(
  tree: ImageDirectory,
  root: string,
  signal: AbortSignal,
): Promise<void> {
  await makeDirectory(root);
  const waiting: { readonly node: ImageDirectory; readonly path: string }[] = [
    { node: tree, path: root },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, path } = next;
    const children = [...node.children];
    for (let at = 0; at < children.length; at += atOnce) {
      signal.throwIfAborted();
      await Promise.all(
        children.slice(at, at + atOnce).map(async ([name, child]) => {
          const place = join(path, name);
          await make(child, place);
          if (child.kind === 'directory') waiting.push({ node: child, path: place });
        }),
      );
    }
  }
}

async function make(node: ImageNode, path: string): Promise<void> {
  if (node.kind === 'directory') await makeDirectory(path);
  else if (node.kind === 'file') await link(node.file, path);
  else await symlink(node.target, path);
}

/** Open to everybody, whatever the server's umask is: sandboxes run as other users. */
async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: 0o755 });
  await chmod(path, 0o755);
}
