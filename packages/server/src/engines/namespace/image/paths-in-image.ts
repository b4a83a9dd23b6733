import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** As the kernel follows at most (path_resolution(7)). */
const maxLinks = 40;

/**
 * The file on the host that a path in an image leads to. Links are followed as inside, with the image's root
 * as the root: none of them leads to the host. Null: it leads nowhere.
 */
function resolveInImage(
  root: string,
  path: string,
): { readonly file: string; readonly stat: Stats } | null {
  const rest = path.split('/').reverse();
  let at: string[] = [];
  let links = 0;
  let stat = lstatSync(root);
  while (rest.length > 0) {
    const part = rest.pop() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const file = join(root, ...at, part);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) return null;
    if (found.isSymbolicLink()) {
      links += 1;
      if (links > maxLinks) return null;
      const target = readlinkSync(file);
      if (target.startsWith('/')) at = [];
      rest.push(...target.split('/').reverse());
      continue;
    }
    if (rest.some((name) => name !== '' && name !== '.') && !found.isDirectory()) return null;
    at = [...at, part];
    stat = found;
  }
  return { file: join(root, ...at), stat };
}

/** Absolute path inside of the first program of that name. */
export function findProgramInImage(root: string, name: string, searchPath: string): string | null {
  for (const directory of searchPath.split(':').filter((path) => path.startsWith('/'))) {
    const path = join(directory, name);
    const found = resolveInImage(root, path);
    if (found?.stat.isFile() === true && (found.stat.mode & 0o001) !== 0) return path;
  }
  return null;
}

const maxTextBytes = 65_536;

/** What a short file of the image says. Empty: there is none. */
export function readTextInImage(root: string, path: string): string {
  const found = resolveInImage(root, path);
  const isShort = found?.stat.isFile() === true && found.stat.size <= maxTextBytes;
  return isShort ? readFileSync(found.file, 'utf8').replaceAll('\0', '') : '';
}

/** What is at a path, without a link in it. Null: a link or a file is on the way. */
export function kindInImage(root: string, path: string): 'directory' | 'nothing' | null {
  let at = root;
  for (const part of path.split('/').filter(Boolean)) {
    at = join(at, part);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) return 'nothing';
    if (!stat.isDirectory()) return null;
  }
  return 'directory';
}
