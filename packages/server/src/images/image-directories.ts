import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where a server keeps images. All of it is on one file system, since files are shared by hard links. */
export interface ImageDirectories {
  /** Records of images, one file each. */
  readonly records: string;
  /** Layers by registry and digest. */
  readonly layers: string;
  /** Root directories, under names that nobody can guess: sandboxes of other users walk through. */
  readonly roots: string;
  /** What is not complete. Nobody looks for anything in there. */
  readonly partial: string;
}

export async function makeImageDirectories(directory: string): Promise<ImageDirectories> {
  const paths: ImageDirectories = {
    records: join(directory, 'records'),
    layers: join(directory, 'layers'),
    roots: join(directory, 'roots'),
    partial: join(directory, 'partial'),
  };
  const made = await mkdir(directory, { recursive: true, mode: 0o711 });
  // Whatever the server's umask is, sandboxes can walk through the directories made here.
  for (let path = directory; made !== undefined && path.startsWith(made); path = dirname(path)) {
    await chmod(path, 0o711);
  }
  for (const [path, mode] of [
    [directory, 0o711],
    [paths.records, 0o700],
    [paths.layers, 0o700],
    [paths.roots, 0o711],
    [paths.partial, 0o700],
  ] as const) {
    await mkdir(path, { recursive: true });
    await chmod(path, mode);
  }
  return paths;
}
