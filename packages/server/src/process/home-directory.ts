import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
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
const ownFiles = ['server.key', 'server.lock', 'sandgate.db', 'config.json', 'logs'];

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
 * Creates the state directory, for its owner alone. One that others can enter is closed to them,
 * unless it looks like a directory with another purpose.
 *
 * @returns warnings for the operator.
 * @throws SandgateError `config_invalid`
 */
export async function prepareHome(home: string): Promise<readonly string[]> {
  const warnings: string[] = [];
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const { mode } = await stat(home);
    if ((mode & 0o077) !== 0) {
      if (!(await isOurs(home))) throw refuse(home, 'is open to others and holds other files');
      await chmod(home, 0o700);
      warnings.push(`${home} was open to other users of this machine. It is closed to them now.`);
    }
    await mkdir(join(home, 'logs', 'sandboxes'), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (error instanceof SandgateError) throw error;
    const isFile = hasCode(error, 'EEXIST') || hasCode(error, 'ENOTDIR');
    throw refuse(home, isFile ? 'is not a directory' : 'cannot be used', error);
  }
  return warnings;
}
