import { posix } from 'node:path';
import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { RegistryImage, SandboxDefinition, SandboxResources } from './sandbox-definition.ts';
import type { SandboxPolicy } from './sandbox-policy.ts';
import { requireDependencies } from './start-order.ts';

/** What a client asked for. Absent fields take the stored definition's value, else the default. */
export interface RequestedSandbox {
  readonly image?: string;
  /** What `image` is called, where it is one of a registry that the workspace has set up. */
  readonly registryImage?: RegistryImage;
  readonly resources?: Partial<SandboxResources>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the one sandbox alone. */
  readonly secretEnvironment?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly shell?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exec?: string;
  readonly dependsOn?: readonly string[];
  readonly mounts?: readonly { readonly hostPath: string; readonly guestPath: string }[];
}

export const defaultWorkdir = '/workspace';
const defaultShell = '/bin/sh';
const scriptName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

/**
 * Merges a request over the stored definition and the operator's defaults. A request that names an
 * image replaces what was stored.
 * @throws SandgateError `invalid_request`, `volume_refused`
 */
export function buildDefinition(
  requested: RequestedSandbox,
  stored: SandboxDefinition | null,
  policy: SandboxPolicy,
): SandboxDefinition {
  const base = requested.image === undefined ? stored : null;
  const registryImage = requested.registryImage ?? base?.registryImage;
  const secretEnvironment = requested.secretEnvironment ?? base?.secretEnvironment;
  return {
    image: requireNoKey(requested.image ?? base?.image ?? policy.defaultImage),
    ...(registryImage === undefined ? {} : { registryImage }),
    resources: boundResources(
      { ...policy.defaults, ...base?.resources, ...requested.resources },
      policy.maxima,
    ),
    environment: requireEnvironment(requested.environment ?? base?.environment ?? {}),
    ...(secretEnvironment === undefined ? {} : { secretEnvironment }),
    workdir: requireGuestPath('workdir', requested.workdir ?? base?.workdir ?? defaultWorkdir),
    shell: requireGuestPath('shell', requested.shell ?? base?.shell ?? defaultShell),
    scripts: requireScripts(requested.scripts ?? base?.scripts ?? {}),
    exec: requested.exec ?? base?.exec ?? null,
    dependsOn: requireDependencies(requested.dependsOn ?? base?.dependsOn ?? []),
    // What was allowed when it was stored may not be allowed any more.
    mounts: requireOwnPrograms(
      (requested.mounts ?? base?.mounts ?? []).map((mount) => allowMount(mount, policy)),
      registryImage,
    ),
  };
}

/** What is in an image that a workspace brings is its own affair, and the host's directories are not. */
function requireOwnPrograms<Mount>(
  mounts: readonly Mount[],
  registryImage: RegistryImage | undefined,
): readonly Mount[] {
  if (registryImage === undefined || mounts.length === 0) return mounts;
  throw new SandgateError(
    'volume_refused',
    "Directories of the host are mounted in sandboxes of the server's own templates alone",
  );
}

/** A definition is stored, also when it turns out that there is no such image. */
function requireNoKey(image: string): string {
  if (keyPattern.test(image)) throw invalid('image must not be an API key');
  return image;
}

const resourceNames: Readonly<Record<keyof SandboxResources, string>> = {
  memoryMib: 'memory (MiB)',
  cpus: 'cpus',
  diskMib: 'disk (MiB)',
  maxProcesses: 'processes',
};

function boundResources(wanted: SandboxResources, maxima: SandboxResources): SandboxResources {
  for (const [key, label] of Object.entries(resourceNames)) {
    const name = key as keyof SandboxResources;
    const value = wanted[name];
    if (!Number.isFinite(value) || value <= 0) throw invalid(`${label} must be more than 0`);
    if (value > maxima[name]) {
      throw invalid(`${label} is ${value}, and this server allows up to ${maxima[name]}`);
    }
    if (name !== 'cpus' && !Number.isInteger(value)) {
      throw invalid(`${label} must be a whole number`);
    }
  }
  return wanted;
}

/** @throws SandgateError `invalid_request` */
export function requireEnvironment(
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(environment)) {
    if (!environmentName.test(name)) {
      throw invalid(`"${name}" is not a name for an environment variable`);
    }
    if (value.includes('\0')) throw invalid(`The value of ${name} contains a NUL character`);
  }
  return environment;
}

function requireScripts(
  scripts: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const wrong = Object.keys(scripts).find((name) => !scriptName.test(name));
  if (wrong === undefined) return scripts;
  throw invalid(`"${wrong}" is not a script name: use letters, digits, dots, hyphens, underscores`);
}

function requireGuestPath(subject: string, path: string): string {
  const plain = path.startsWith('/') && !path.includes('\0') && path.length <= 4_096;
  if (!plain || path.split('/').includes('..')) {
    throw invalid(`${subject} must be an absolute path inside the sandbox, without ".."`);
  }
  return posix.normalize(path);
}

const beneath = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);

/** Mount points that would hide what the sandbox itself is made of. */
const reservedGuestPaths = [
  '/',
  '/usr',
  '/bin',
  '/lib',
  '/lib64',
  '/sbin',
  '/etc',
  '/proc',
  '/dev',
  '/tmp',
  '/.sandbox',
  '/opt/node',
  '/opt/python',
  '/run',
];

/** @throws SandgateError `invalid_request`, `volume_refused` */
export function requireMountPoint(path: string): string {
  const guestPath = requireGuestPath('The path of a volume', path);
  const reserved = reservedGuestPaths.find((path) =>
    path === '/' ? guestPath === '/' : beneath(guestPath, path),
  );
  if (reserved !== undefined) {
    throw new SandgateError('volume_refused', `A volume cannot be mounted at ${guestPath}`);
  }
  return guestPath;
}

function allowMount(
  mount: { readonly hostPath: string; readonly guestPath: string },
  policy: SandboxPolicy,
): SandboxDefinition['mounts'][number] {
  const guestPath = requireMountPoint(mount.guestPath);
  // The same words for a path that is not there: a stranger must not explore the host with them.
  const refusal = new SandgateError(
    'volume_refused',
    `The host path of volume "${mount.hostPath}:${mount.guestPath}" is not allowed. The operator can list it under allowedHostPaths`,
  );
  const hostPath = mount.hostPath.startsWith('/') ? policy.realPath(mount.hostPath) : null;
  if (hostPath === null) throw refusal;
  const allowed = policy.allowedHostPaths.find(({ path }) => {
    const root = policy.realPath(path);
    return root !== null && beneath(hostPath, root);
  });
  if (allowed === undefined) throw refusal;
  return { hostPath, guestPath, readOnly: allowed.readOnly };
}
