import { execFile } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { MountStep } from '../launcher/launcher.ts';
import { reachableByOthers } from './reachable-by-others.ts';
import { guestInterpreterDirectory, type HostInterpreter } from './template.ts';

const run = promisify(execFile);
const guestPrefix = '/opt/python';
const oldestVersion: readonly [number, number] = [3, 8];

/**
 * What an interpreter says about itself. The program on a PATH is often a shim or belongs to a
 * virtual environment; `base_prefix` is the installation behind it. The modules that it loads are
 * those that come with libraries of their own in some installations.
 */
const describeItself = `
import json, os, sys, sysconfig
for name in 'ssl ctypes sqlite3 zlib bz2 lzma readline curses pyexpat decimal uuid'.split():
    try: __import__(name)
    except Exception: pass
base = {'base': sys.base_prefix, 'platbase': sys.base_exec_prefix}
library = [os.path.dirname(os.__file__), sysconfig.get_path('platstdlib', vars=base)]
with open('/proc/self/maps') as maps: mapped = {line.split(None, 5)[5].strip() for line in maps if ' /' in line}
print(json.dumps({
    'version': list(sys.version_info[:3]),
    'prefix': os.path.realpath(sys.base_prefix),
    'executable': os.path.realpath(getattr(sys, '_base_executable', sys.executable) or sys.executable),
    'library': sorted({os.path.realpath(path) for path in library}),
    'mapped': sorted(mapped),
}))
`;

export interface FindPythonOptions {
  readonly dropped: boolean;
  readonly searchPath: string;
  /** Looked at alone, where it is given. */
  readonly file?: string | undefined;
  /** True for a directory that holds what is nobody's but its owner's: no Python is taken from there. */
  readonly isPrivate: (directory: string) => boolean;
}

interface Installation {
  readonly version: string;
  readonly prefix: string;
  readonly executable: string;
  /** All that it needs beneath its prefix. What else is there is none of a sandbox's business. */
  readonly parts: readonly string[];
}

/**
 * Pythons that are really installed and that a sandbox's user can reach, best first. Each has yet to
 * be tried inside a sandbox. Of one outside `/usr`, its parts are shown in `/opt`; and as a last choice at
 * their own paths, which shows what directories that is in, for one that was built to find its library there.
 */
export async function findPythons(options: FindPythonOptions): Promise<HostInterpreter[]> {
  const directories = [...options.searchPath.split(delimiter), '/usr/local/bin', '/usr/bin'];
  // `/bin` is `/usr/bin` on most machines, and nothing is asked twice.
  const files =
    options.file === undefined
      ? directories.filter(existsSync).map((directory) => join(realpathSync(directory), 'python3'))
      : [options.file];
  const found = new Map<string, Installation>();
  const described = await Promise.all([...new Set(files)].filter(existsSync).map(describe));
  for (const installation of described) {
    if (installation === null || options.isPrivate(installation.prefix)) continue;
    if (!options.dropped || isOpen(installation)) {
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
  [python.executable, ...python.parts].every(reachableByOthers);

function show(python: Installation, guest: string): HostInterpreter {
  const { version, prefix, executable, parts } = python;
  const inside = (path: string): string => join(guest, relative(prefix, path));
  const target = inside(executable);
  const binds = parts.map(
    (source): MountStep => ({ kind: 'bind', source, path: inside(source), readOnly: true }),
  );
  return {
    language: 'python',
    executable,
    description: `Python ${version} (${executable})`,
    steps: [
      ...(inUsr(python) ? [] : binds),
      { kind: 'symlink', target, path: `${guestInterpreterDirectory}/python3` },
      { kind: 'symlink', target, path: `${guestInterpreterDirectory}/python` },
    ],
  };
}

interface Answer {
  readonly version: readonly [number, number, number];
  readonly prefix: string;
  readonly executable: string;
  /** Directories of the standard library. */
  readonly library: readonly string[];
  /** Files that it has in its memory. */
  readonly mapped: readonly string[];
}

async function describe(file: string): Promise<Installation | null> {
  try {
    const { stdout } = await run(file, ['-I', '-c', describeItself], { timeout: 10_000 });
    const answer: Answer = JSON.parse(stdout);
    const { version, prefix, executable } = answer;
    const [major, minor] = version;
    const old =
      major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
    if (old || !isBeneath(executable, prefix)) return null;
    return { version: version.join('.'), prefix, executable, parts: partsOf(answer) };
  } catch {
    return null;
  }
}

const isBeneath = (path: string, directory: string): boolean => path.startsWith(`${directory}/`);

function partsOf({ prefix, executable, library, mapped }: Answer): string[] {
  const directories = [...new Set(library)]
    .filter((path) => isBeneath(path, prefix) && !isBeneath(executable, path) && existsSync(path))
    .filter((path, _, all) => !all.some((other) => isBeneath(path, other)));
  const files = mapped
    .filter((path) => isBeneath(path, prefix) && path !== executable && existsSync(path))
    .filter((path) => !directories.some((directory) => isBeneath(path, directory)));
  return [executable, ...directories, ...namesOf(files)];
}

/**
 * Libraries' files and the links beside them, by one of which each is looked for. Most are in one directory
 * with a thousand others, so that each directory is read once.
 */
function namesOf(files: readonly string[]): string[] {
  const wanted = new Set(files);
  return [...new Set(files.map(dirname))].flatMap((directory) =>
    readdirSync(directory, { withFileTypes: true })
      .map((entry) => ({ path: join(directory, entry.name), isLink: entry.isSymbolicLink() }))
      .filter(({ path, isLink }) => wanted.has(path) || (isLink && wanted.has(targetOf(path))))
      .map(({ path }) => path),
  );
}

/** The file behind a link; the link itself where there is none. */
function targetOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
