import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { type EngineSandboxSpec, SandgateError } from '@sandgate/core';
import { boundFileSizes } from './bound-file-sizes.ts';
import { guestEngineDirectory, guestHome } from './engine-options.ts';
import type { MountStep } from './launcher/launcher.ts';
import type { Template } from './template/template.ts';

/** Directories of a host's programs: links into `/usr` on most, directories of their own on some. */
const systemDirectories = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Files of the host's `/etc` that programs of `/usr` need, and that tell nothing about anybody. */
const sharedConfiguration = [
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/ssl/certs',
];

/** What every sandbox of this host has in common. Looked at once. */
export function systemSteps(): MountStep[] {
  const steps: MountStep[] = [
    ...openDirectories.map((path): MountStep => ({ kind: 'directory', path })),
    { kind: 'bind', source: '/usr', path: '/usr', readOnly: true },
  ];
  for (const path of systemDirectories.filter((directory) => existsSync(directory))) {
    steps.push(
      lstatSync(path).isSymbolicLink()
        ? { kind: 'symlink', target: readlinkSync(path), path }
        : { kind: 'bind', source: path, path, readOnly: true },
    );
  }
  for (const path of sharedConfiguration.filter((file) => existsSync(file))) {
    steps.push({ kind: 'bind', source: path, path, readOnly: true });
  }
  return steps;
}

/** Parents of mounts, which a launcher would make for their owner alone. */
const openDirectories = [
  '/etc',
  '/etc/ssl',
  '/opt',
  '/opt/node',
  '/opt/node/bin',
  '/opt/sandbox',
  '/opt/sandbox/bin',
];

interface MountPoint {
  readonly guestPath: string;
}

export interface SandboxDirectories {
  /** Of the sandbox's FIFOs. */
  readonly io: string;
  readonly kernels: string;
}

/**
 * A sandbox's file system. The root is a tmpfs of bounded size that holds whatever is written; what
 * is mounted over it is read-only, or bounded by itself. All of it together leaves room in the memory.
 */
export function sandboxSteps(
  spec: EngineSandboxSpec,
  system: readonly MountStep[],
  template: Template,
  directories: SandboxDirectories,
  volumes: readonly { readonly guestPath: string; readonly step: MountStep }[] = [],
): MountStep[] {
  const sizes = boundFileSizes(spec.resources);
  const engine = guestEngineDirectory;
  const mounted = [...spec.mounts, ...volumes];
  for (const { guestPath } of mounted) requireMountable(guestPath, mounted);
  return [
    { kind: 'tmpfs', path: '/', bytes: sizes.rootBytes, mode: 0o755 },
    // A mount of its own, as a mere directory could be moved away with all that is mounted in it.
    { kind: 'tmpfs', path: engine, bytes: sizes.engineBytes, mode: 0o755 },
    ...system,
    ...template.steps,
    { kind: 'proc', path: '/proc' },
    { kind: 'dev', path: '/dev', shmBytes: sizes.shmBytes },
    { kind: 'tmpfs', path: '/tmp', bytes: sizes.tmpBytes, mode: 0o1777 },
    { kind: 'directory', path: '/workspace' },
    { kind: 'directory', path: guestHome },
    { kind: 'directory', path: `${engine}/scripts` },
    { kind: 'bind', source: directories.io, path: `${engine}/io`, readOnly: true },
    { kind: 'bind', source: directories.kernels, path: `${engine}/kernel`, readOnly: true },
    ...spec.mounts.map((mount): MountStep => {
      const { hostPath: source, guestPath: path, readOnly } = mount;
      return { kind: 'bind', source, path, readOnly };
    }),
    ...volumes.map(({ step }) => step),
    ...(isBeneathVolume(spec.workdir, mounted)
      ? []
      : [{ kind: 'directory', path: spec.workdir } as const]),
  ];
}

/**
 * What is in a volume was written by others. A launcher that makes or mounts something beneath it
 * would follow a link there, in its own view of the host.
 */
export function isBeneathVolume(path: string, mounts: readonly MountPoint[]): boolean {
  return mounts.some(({ guestPath }) => path.startsWith(`${guestPath}/`));
}

/** Paths of a sandbox that are no part of its writable layer. */
export function pathsOutsideLayer(steps: readonly MountStep[]): string[] {
  const mounted = steps.filter((step) => step.kind !== 'directory' && step.path !== '/');
  return [guestEngineDirectory, ...mounted.map((step) => step.path)];
}

function requireMountable(path: string, mounts: readonly MountPoint[]): void {
  const taken = ['/proc', '/dev', '/usr', '/etc', guestEngineDirectory, ...systemDirectories];
  const inside = taken.some((directory) => path === directory || path.startsWith(`${directory}/`));
  if (!path.startsWith('/') || path === '/' || path.split('/').includes('..') || inside) {
    throw new SandgateError('volume_refused', `A volume cannot be mounted at ${path}.`);
  }
  if (mounts.filter(({ guestPath }) => guestPath === path).length > 1) {
    throw new SandgateError('volume_refused', `Only one volume can be mounted at ${path}.`);
  }
  if (isBeneathVolume(path, mounts)) {
    throw new SandgateError('volume_refused', `A volume cannot be in another one, as at ${path}.`);
  }
}
