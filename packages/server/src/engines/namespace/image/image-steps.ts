import { type Dirent, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SandgateError } from '@sandgate/core';
import { guestEngineDirectory, guestHome } from '../engine-options.ts';
import type { MountStep } from '../launcher/launcher.ts';
import { kindInImage } from './paths-in-image.ts';

/** The sandbox's own, whatever the image has there. */
const replaced: ReadonlySet<string> = new Set([
  ...['/dev', '/proc', '/sys', '/tmp', '/run', guestEngineDirectory],
  ...['passwd', 'group', 'hostname', 'hosts', 'resolv.conf'].map((name) => `/etc/${name}`),
]);

/** Directories that the sandbox puts something of its own into: a link in their place is left out. */
const ownDirectories: readonly string[] = ['/etc', '/home', guestHome, '/workspace'];

/** In which programs make files beside those that are there. */
const usuallyWritten: readonly string[] = [
  ...ownDirectories,
  ...['/opt', '/root', '/srv', '/var', '/var/cache', '/var/log', '/var/tmp'],
];

/** Each entry of an open directory is a mount of its own. */
const maxOpenEntries = 512;

/**
 * Of the image's `/etc`, whose many entries the sandbox has as links: mounts would triple the time of a start.
 * What leads out of it by two dots finds the rest of the image beside it.
 */
const configuration = '/etc';
const hiddenParent = `${guestEngineDirectory}/image`;

/**
 * How an image is shown in a sandbox: what it has can be read, and not changed. A directory that is `opened` is
 * the sandbox's own, with the image's entries in it, so that there can be others beside them. Nothing is made or
 * mounted where a link of the image leads, since a launcher would follow it in its own view of the host.
 * @throws SandgateError `volume_refused` when one of the mount points is behind a link
 */
export function imageSteps(
  root: string,
  options: { readonly opened: readonly string[]; readonly mountPoints: readonly string[] },
): MountStep[] {
  const { mountPoints } = options;
  const hidden = mountPoints.find((path) => kindInImage(root, path) === null);
  if (hidden !== undefined) {
    throw new SandgateError(
      'volume_refused',
      `A volume cannot be mounted at ${hidden}: the image has a file or link there, or above`,
    );
  }
  const parents = mountPoints.map((path) => path.slice(0, path.lastIndexOf('/')));
  const open = new Set([...usuallyWritten, ...options.opened, ...parents].flatMap(withParents));
  // What is mounted there needs a place to be mounted on.
  const needed = new Set(parents.flatMap(withParents));
  const own = new Set(ownDirectories);

  const entriesOf = (path: string): MountStep[] =>
    readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
      const at = `${path}/${entry.name}`;
      return replaced.has(at) ? [] : showEntry(at, entry);
    });
  const showEntry = (at: string, entry: Dirent): MountStep[] => {
    const source = join(root, at);
    if (!entry.isDirectory() && own.has(at)) return [];
    if (dirname(at) === configuration && !entry.isSymbolicLink() && !needed.has(at)) {
      return [{ kind: 'symlink', target: hiddenParent + at, path: at }];
    }
    if (entry.isSymbolicLink()) {
      return [{ kind: 'symlink', target: readlinkSync(source), path: at }];
    }
    const opens =
      entry.isDirectory() &&
      open.has(at) &&
      (needed.has(at) || own.has(at) || readdirSync(source).length <= maxOpenEntries);
    return opens
      ? [{ kind: 'directory', path: at }, ...entriesOf(at)]
      : [{ kind: 'bind', source, path: at, readOnly: true }];
  };
  const places = ['/run', configuration, hiddenParent].map(
    (path): MountStep => ({ kind: 'directory', path }),
  );
  return [...places, ...hideConfiguration(root), ...entriesOf('')];
}

function hideConfiguration(root: string): MountStep[] {
  const source = join(root, configuration);
  if (kindInImage(root, configuration) !== 'directory') return [];
  const others = readdirSync(root).filter((name) => `/${name}` !== configuration);
  return [
    { kind: 'bind', source, path: hiddenParent + configuration, readOnly: true },
    ...others.map(
      (name): MountStep => ({
        kind: 'symlink',
        target: `/${name}`,
        path: `${hiddenParent}/${name}`,
      }),
    ),
  ];
}

function withParents(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
