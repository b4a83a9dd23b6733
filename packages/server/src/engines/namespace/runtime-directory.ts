import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of one engine on the host. */
export interface RuntimeDirectory {
  /** Gone at the next boot, or removed by `reconcile`. */
  readonly root: string;
  /** One directory per running sandbox, named by its id. */
  readonly sandboxes: string;
  /** Where the disks of volumes are mounted while they are attached, one directory each. */
  readonly attached: string;
  /** FIFOs that are not in use yet. */
  readonly fifos: string;
  /** The kernels' guest scripts, shown in every sandbox. */
  readonly kernels: string;
  /** Writable layers as tar files. Kept. */
  readonly layers: string;
  /** Snapshots, as `layers`. Kept. */
  readonly snapshots: string;
  /** Volumes as images or archives. Kept. */
  readonly volumes: string;
  /** The root was not there before. */
  readonly isNew: boolean;
}

/**
 * Makes the engine's directories. Under root, sandboxes run as other users, who must be able to walk
 * to their own directory: the state directory is often closed to them, so the runtime directory is
 * in `/run` (or the temporary directory), named after the state directory.
 */
export function createRuntimeDirectory(stateDirectory: string): RuntimeDirectory {
  const root =
    process.getuid?.() === 0 ? rootsDirectory(stateDirectory) : join(stateDirectory, 'run');
  for (const name of ['layers', 'snapshots', 'volumes']) {
    mkdirSync(join(stateDirectory, name), { recursive: true, mode: 0o700 });
  }
  const paths: RuntimeDirectory = {
    root,
    sandboxes: join(root, 'sandboxes'),
    attached: join(root, 'attached'),
    fifos: join(root, 'fifos'),
    kernels: join(root, 'kernels'),
    layers: join(stateDirectory, 'layers'),
    snapshots: join(stateDirectory, 'snapshots'),
    volumes: join(stateDirectory, 'volumes'),
    isNew: mkdirSync(root, { recursive: true, mode: 0o711 }) !== undefined,
  };
  requireOwn(root);
  chmodSync(root, 0o711);
  for (const [path, mode] of [
    [paths.sandboxes, 0o711],
    [paths.attached, 0o711],
    [paths.fifos, 0o700],
    [paths.kernels, 0o755],
  ] as const) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
  }
  return paths;
}

function rootsDirectory(stateDirectory: string): string {
  const name = `sandgate-${createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16)}`;
  try {
    accessSync('/run', constants.W_OK);
    return join('/run', name);
  } catch {
    return join(tmpdir(), name);
  }
}

/** In a directory that all may write, somebody else could have made ours first. */
function requireOwn(path: string): void {
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== (process.getuid?.() ?? 0)) {
    throw new Error(`${path} belongs to another user; remove it and start again`);
  }
}
