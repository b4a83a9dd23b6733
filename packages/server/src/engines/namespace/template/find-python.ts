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
}

/**
 * Pythons that are really installed and that a sandbox's user can reach, best first. Each has yet to
 * be tried inside a sandbox.
 */
export async function findPythons(options: FindPythonOptions): Promise<HostInterpreter[]> {
  const directories = [...options.searchPath.split(delimiter), '/usr/local/bin', '/usr/bin'];
  const files = directories.map((directory) => join(directory, 'python3')).filter(existsSync);
  const found = new Map<string, HostInterpreter>();
  for (const file of new Set(files)) {
    const interpreter = await describe(file, options.dropped);
    if (interpreter !== null && !found.has(interpreter.description)) {
      found.set(interpreter.description, interpreter);
    }
  }
  return [...found.values()];
}

async function describe(file: string, dropped: boolean): Promise<HostInterpreter | null> {
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
  const bare = prefix === '/usr' || prefix.startsWith('/usr/');
  if (dropped && !bare && !(reachableByOthers(prefix) && reachableByOthers(executable)))
    return null;
  const guest = bare ? executable : join(guestPrefix, relative(prefix, executable));
  const mount: MountStep[] = bare
    ? []
    : [{ kind: 'bind', source: prefix, path: guestPrefix, readOnly: true }];
  return {
    language: 'python',
    description: `Python ${version.join('.')} (${executable})`,
    steps: [
      ...mount,
      { kind: 'symlink', target: guest, path: `${guestInterpreterDirectory}/python3` },
      { kind: 'symlink', target: guest, path: `${guestInterpreterDirectory}/python` },
    ],
  };
}
