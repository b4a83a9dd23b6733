/** Programs that npm cannot install, and how to get them on this system. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runWithProgress } from './run-with-progress.mjs';

/** The path of a program on PATH, or null. */
function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** A shim that finds no interpreter behind it is on PATH and still does not run. */
function pythonRuns() {
  return spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0;
}

/** What Sandgate itself uses. `why` completes the sentence "… is used to". */
export const serverPackages = [
  {
    name: 'bubblewrap',
    why: 'start sandboxes; without it they start through util-linux, with a weaker wall',
    isPresent: () => findProgram('bwrap') !== null,
  },
  { name: 'python3', why: 'run Python in sandboxes', isPresent: pythonRuns },
];

/** What the tests use on top: a row for each program that a test really starts. */
export const testPackages = [
  ...serverPackages,
  {
    name: 'docker.io',
    why: 'test the Docker engine with a real daemon',
    isPresent: () => findProgram('dockerd') !== null,
  },
  {
    name: 'runsc',
    why: 'test it with gVisor',
    isPresent: () => findProgram('runsc') !== null,
  },
  {
    name: 'docker-registry',
    why: 'test pulls from a real registry',
    isPresent: () => findProgram('docker-registry') !== null,
  },
  {
    name: 'openssl',
    why: 'make the certificate that it trusts tokens by',
    isPresent: () => findProgram('openssl') !== null,
  },
  {
    name: 'chromium-headless-shell',
    why: 'open pages in a real browser',
    isPresent: () => findProgram('chromium-headless-shell') !== null,
  },
];

const packageManagers = [
  ['apt-get', 'apt-get install -y --no-install-recommends'],
  ['dnf', 'dnf install -y'],
  ['apk', 'apk add'],
  ['pacman', 'pacman -S --noconfirm'],
  ['zypper', 'zypper install -y'],
];

/** The one command to type for these packages. */
export function installCommand(names) {
  const manager = packageManagers.find(([program]) => findProgram(program) !== null);
  const command = manager?.[1] ?? 'install';
  return `${process.getuid?.() === 0 ? '' : 'sudo '}${command} ${names.join(' ')}`;
}

const mayInstall = () => process.getuid?.() === 0 && findProgram('apt-get') !== null;

/**
 * Installs what is missing where that is possible without asking: as root on a Debian.
 *
 * @returns the packages that are still missing, and why installing them failed, if it was tried.
 */
export async function installMissing(packages) {
  const missing = packages.filter((entry) => !entry.isPresent());
  if (missing.length === 0 || !mayInstall()) return { missing, failure: null };
  const names = missing.map((entry) => entry.name);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await runWithProgress('Reading the list of packages', 'apt-get', ['update'], { env });
    const args = ['install', '-y', '--no-install-recommends', ...names];
    await runWithProgress(`Installing ${names.join(' and ')}`, 'apt-get', args, { env });
    return { missing: packages.filter((entry) => !entry.isPresent()), failure: null };
  } catch (error) {
    return { missing, failure: error instanceof Error ? error.message : String(error) };
  }
}
