import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { MountStep } from '../launcher/launcher.ts';
import { reachableByOthers } from './reachable-by-others.ts';
import { guestInterpreterDirectory, type HostInterpreter } from './template.ts';

const run = promisify(execFile);
const guestPrefix = '/opt/python';
const oldestVersion: readonly [number, number] = [3, 8];

/**
 * What an interpreter says about itself. The program on a PATH is often a shim or belongs to a
 * virtual environment; `base_prefix` is the installation behind it.
 */
const describeItself = `
import json, os, sys
print(json.dumps([list(sys.version_info[:3]), sys.base_prefix, os.path.realpath(getattr(sys, '_base_executable', sys.executable) or sys.executable)]))
`;

export interface FindPythonOptions {
  readonly dropped: boolean;
  readonly searchPath: string;
  /** Looked at alone, where it is given. */
  readonly file?: string | undefined;
}

interface Installation {
  readonly version: string;
  readonly prefix: string;
  readonly executable: string;
}

/**
 * Pythons that are really installed and that a sandbox's user can reach, best first. Each has yet to
 * be tried inside a sandbox. One outside `/usr` is shown in `/opt`; and as a last choice at its own
 * path, which shows what directories that is in, for one that was built to find its library there.
 */
export async function findPythons(options: FindPythonOptions): Promise<HostInterpreter[]> {
  const directories = [...options.searchPath.split(delimiter), '/usr/local/bin', '/usr/bin'];
  const files =
    options.file === undefined
      ? directories.map((directory) => join(directory, 'python3')).filter(existsSync)
      : [options.file];
  const found = new Map<string, Installation>();
  for (const file of new Set(files)) {
    const installation = await describe(file);
    if (installation !== null && (!options.dropped || isOpen(installation))) {
      found.set(installation.executable, installation);
    }
  }
  const installations = [...found.values()];
  const moved = installations.map((python) =>
    show(python, inUsr(python) ? python.prefix : guestPrefix),
  );
  const inPlace = installations.filter((python) => !inUsr(python));
  return [...moved, ...inPlace.map((python) => show(python, python.prefix))];
}

const inUsr = ({ prefix }: Installation): boolean => `${prefix}/`.startsWith('/usr/');

const isOpen = (python: Installation): boolean =>
  reachableByOthers(python.prefix) && reachableByOthers(python.executable);

function show(python: Installation, guest: string): HostInterpreter {
  const { version, prefix, executable } = python;
  const target = join(guest, relative(prefix, executable));
  const bind: MountStep = { kind: 'bind', source: prefix, path: guest, readOnly: true };
  return {
    language: 'python',
    executable,
    description: `Python ${version} (${executable})`,
    steps: [
      ...(inUsr(python) ? [] : [bind]),
      { kind: 'symlink', target, path: `${guestInterpreterDirectory}/python3` },
      { kind: 'symlink', target, path: `${guestInterpreterDirectory}/python` },
    ],
  };
}

async function describe(file: string): Promise<Installation | null> {
  let version: [number, number, number];
  let prefix: string;
  let executable: string;
  try {
    const { stdout } = await run(file, ['-I', '-c', describeItself], { timeout: 10_000 });
    const [numbers, basePrefix, path] = JSON.parse(stdout);
    version = numbers;
    prefix = realpathSync(basePrefix);
    executable = realpathSync(path);
  } catch {
    return null;
  }
  const [major, minor] = version;
  const old = major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
  if (old || !executable.startsWith(`${prefix}/`)) return null;
  return { version: version.join('.'), prefix, executable };
}
