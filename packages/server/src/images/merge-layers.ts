import { setImmediate } from 'node:timers/promises';
import { SandgateError } from '@sandgate/core';
import { invalidImage } from '../registry/registry-failure.ts';
import type { LayerEntry } from './layer-entry.ts';

export type ImageNode =
  | { readonly kind: 'directory'; readonly children: Map<string, ImageNode> }
  /** `file` is on the host, and shared with other images. */
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'symlink'; readonly target: string };

export type ImageDirectory = Extract<ImageNode, { readonly kind: 'directory' }>;

export interface MergedLayer {
  /** Read twice: what is hidden of the layers below is hidden first. */
  readonly entries: () => AsyncIterable<LayerEntry>;
  readonly fileOf: (number: number) => string;
}

const maxNodes = 1_000_000;
/** Of following names and links, over all entries. */
const maxSteps = 50_000_000;
/** As the kernel follows at most (path_resolution(7)). */
const maxLinks = 40;
const entriesInOneTurn = 2_000;

const emptyDirectory = (): ImageDirectory => ({ kind: 'directory', children: new Map() });

/**
 * The tree that layers make, lowest first, without a look at any file system. Links on the way to an entry
 * are followed inside of the tree, as they would be in a container.
 * @throws SandgateError `image_invalid`, `image_too_large`
 */
export async function mergeLayers(layers: readonly MergedLayer[]): Promise<ImageDirectory> {
  const tree = new ImageTree();
  for (const { entries, fileOf } of layers) {
    await inTurns(entries(), (entry) => tree.hide(entry));
    await inTurns(entries(), (entry) => tree.add(entry, fileOf));
  }
  return tree.root;
}

async function inTurns<Item>(items: AsyncIterable<Item>, work: (item: Item) => void) {
  let done = 0;
  for await (const item of items) {
    work(item);
    done += 1;
    if (done % entriesInOneTurn === 0) await setImmediate();
  }
}

class ImageTree {
  readonly root = emptyDirectory();
  #nodes = 0;
  #steps = 0;

  hide(entry: LayerEntry): void {
    if (entry.kind === 'opaque') {
      const found = this.#find(entry.path.split('/').filter(Boolean), { followLast: true });
      if (found?.kind === 'directory') found.children.clear();
    } else if (entry.kind === 'whiteout') {
      const { parent, name } = this.#split(entry.path);
      const found = this.#find(parent, { followLast: true });
      if (found?.kind === 'directory') found.children.delete(name);
    }
  }

  add(entry: LayerEntry, fileOf: MergedLayer['fileOf']): void {
    if (entry.kind === 'opaque' || entry.kind === 'whiteout') return;
    const { parent, name } = this.#split(entry.path);
    const { children } = this.#makeDirectory(parent);
    switch (entry.kind) {
      case 'directory':
        if (children.get(name)?.kind !== 'directory') this.#set(children, name, emptyDirectory());
        return;
      case 'file':
        this.#set(children, name, { kind: 'file', file: fileOf(entry.number) });
        return;
      case 'symlink':
        this.#set(children, name, { kind: 'symlink', target: entry.target });
        return;
      case 'nothing':
        children.delete(name);
        return;
      case 'link': {
        const target = this.#find(entry.target.split('/'), { followLast: false });
        if (target === null || target.kind === 'directory') {
          throw invalidImage(`a hard link leads to no file: ${JSON.stringify(entry.target)}`);
        }
        this.#set(children, name, target);
      }
    }
  }

  #split(path: string): { readonly parent: string[]; readonly name: string } {
    const parts = path.split('/');
    return { parent: parts.slice(0, -1), name: parts.at(-1) as string };
  }

  #set(children: Map<string, ImageNode>, name: string, node: ImageNode): void {
    this.#nodes += 1;
    if (this.#nodes > maxNodes) {
      throw new SandgateError('image_too_large', `The image has more than ${maxNodes} files`);
    }
    children.set(name, node);
  }

  /** The directory of that path; what is missing of it, or is none, becomes one. */
  #makeDirectory(parts: readonly string[]): ImageDirectory {
    let at: ImageDirectory = this.root;
    for (const [index, part] of parts.entries()) {
      this.#step();
      const child = at.children.get(part);
      if (child?.kind === 'directory') {
        at = child;
        continue;
      }
      const linked =
        child?.kind === 'symlink'
          ? this.#find(parts.slice(0, index + 1), { followLast: true })
          : null;
      if (linked?.kind === 'directory') {
        at = linked;
        continue;
      }
      const made = emptyDirectory();
      this.#set(at.children, part, made);
      at = made;
    }
    return at;
  }

  /** Inside of the tree, whatever links say: `..` of the root is the root. Null: there is nothing. */
  #find(parts: readonly string[], options: { readonly followLast: boolean }): ImageNode | null {
    const above: ImageDirectory[] = [this.root];
    const rest = [...parts].reverse();
    let links = 0;
    let found: ImageNode = this.root;
    while (rest.length > 0) {
      this.#step();
      const part = rest.pop() as string;
      if (found.kind !== 'directory') return null;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (above.length > 1) above.pop();
        found = above.at(-1) as ImageDirectory;
        continue;
      }
      const child: ImageNode | undefined = found.children.get(part);
      if (child === undefined) return null;
      if (child.kind === 'symlink' && (rest.length > 0 || options.followLast)) {
        links += 1;
        if (links > maxLinks) return null;
        if (child.target.startsWith('/')) {
          above.length = 1;
          found = this.root;
        }
        rest.push(...child.target.split('/').reverse());
        continue;
      }
      if (child.kind === 'directory') above.push(child);
      found = child;
    }
    return found;
  }

  #step(): void {
    this.#steps += 1;
    if (this.#steps > maxSteps) throw invalidImage('its links take too long to follow');
  }
}
