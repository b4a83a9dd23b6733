import { chmod, mkdir, stat } from 'node:fs/promises';
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

/**
 * Creates the state directory, for its owner alone. One that others can enter is closed to them.
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
      await chmod(home, 0o700);
      warnings.push(`${home} was open to other users of this machine. It is closed to them now.`);
    }
    await mkdir(join(home, 'logs'), { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason =
      hasCode(error, 'EEXIST') || hasCode(error, 'ENOTDIR') ? 'is not a directory' : '';
    throw new SandgateError(
      'config_invalid',
      `The state directory ${home} ${reason || 'cannot be used'}. Choose another one with --path or SANDGATE_HOME.`,
      { detail: String(error), cause: error },
    );
  }
  return warnings;
}
