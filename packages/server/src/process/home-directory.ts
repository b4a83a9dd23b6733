import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SandgateError } from '@sandgate/core';
import { hasCode } from './write-file-atomically.ts';

/** Where a server keeps its state: the path that was asked for, else SANDGATE_HOME, else ~/.sandgate. */
export function chooseHome(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return resolve(path ?? (environment.SANDGATE_HOME || join(homedir(), '.sandgate')));
}

/** Where the server writes its log. */
export function serverLogPath(home: string): string {
  return join(home, 'logs', 'server.log');
}

/** Files that only Sandgate makes, or that the operator makes for it. */
const ownFiles = [
  'server.key',
  'environment.key',
  'server.lock',
  'sandgate.db',
  'config.json',
  'logs',
];

/** Whether closing a directory to others takes it from nobody. */
async function isOurs(path: string): Promise<boolean> {
  const names = await readdir(path);
  return names.length === 0 || names.some((name) => ownFiles.includes(name));
}

function refuse(home: string, problem: string, cause?: unknown): SandgateError {
  return new SandgateError(
    'config_invalid',
    `The state directory ${home} ${problem}. Choose another one with --path or SANDGATE_HOME.`,
    { detail: String(cause), cause },
  );
}

/**
 * Closing a directory of another user closes nothing: its owner reads the server key, and can put a
 * database of his own in the place of ours.
 */
async function requireOwn(home: string): Promise<Stats> {
  const stats = await lstat(home);
  if (stats.isSymbolicLink()) {
    throw refuse(home, 'is a symbolic link. Name the directory that it leads to instead');
  }
  if (!stats.isDirectory()) throw refuse(home, 'is not a directory');
  const user = process.geteuid?.() ?? stats.uid;
  if (stats.uid !== user) {
    throw refuse(
      home,
      `belongs to user ${stats.uid}, and the server runs as user ${user}. Start it as that user, or give it the directory with chown`,
    );
  }
  return stats;
}

const writableByAll = 0o002;
const sticky = 0o1000;

/** Whoever can rename a directory can put another one in its place. */
async function requireUnreplaceable(home: string): Promise<void> {
  for (let at = await realpath(home); at !== dirname(at); at = dirname(at)) {
    const parent = dirname(at);
    const { mode } = await stat(parent);
    if ((mode & writableByAll) !== 0 && (mode & sticky) === 0) {
      throw refuse(home, `is in ${parent}, where every user can replace it`);
    }
  }
}

/**
 * With what is above it. Node's own `recursive` tries for ever where a file system says that the
 * parent is missing although it is there, as /proc does.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
    return;
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await stat(path)).isDirectory()) return;
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  await makeDirectory(dirname(path));
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}

/**
 * Creates the state directory, for its owner alone. One that others can enter is closed to them,
 * unless it looks like a directory with another purpose.
 *
 * @returns warnings for the operator.
 * @throws SandgateError `config_invalid`
 */
export async function prepareHome(home: string): Promise<readonly string[]> {
  const warnings: string[] = [];
  try {
    await makeDirectory(home);
    await requireUnreplaceable(home);
    const { mode } = await requireOwn(home);
    if ((mode & 0o077) !== 0) {
      if (!(await isOurs(home))) throw refuse(home, 'is open to others and holds other files');
      await chmod(home, 0o700);
      warnings.push(`${home} was open to other users of this machine. It is closed to them now.`);
    }
    await makeDirectory(join(home, 'logs', 'sandboxes'));
  } catch (error) {
    if (error instanceof SandgateError) throw error;
    const isFile = hasCode(error, 'EEXIST') || hasCode(error, 'ENOTDIR');
    throw refuse(home, isFile ? 'is not a directory' : 'cannot be used', error);
  }
  return warnings;
}
