import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandgateError, type ServerKey } from '@sandgate/core';
import { newServerKeyText } from './server-key-file.ts';
import { createFile, hasCode } from './write-file-atomically.ts';

const secretBytes = 32;

/**
 * What environments of sandboxes are encrypted under: a key of its own, in `environment.key`, so that a new
 * server key loses none of them. Made at the first start.
 * @throws SandgateError `config_invalid` when the file holds something else
 */
export async function loadEnvironmentKey(home: string): Promise<ServerKey> {
  const path = join(home, 'environment.key');
  const secret = Buffer.from((await read(path)).trim(), 'base64url');
  if (secret.length === secretBytes) return { version: 1, secret };
  throw new SandgateError(
    'config_invalid',
    `${path} is not what Sandgate wrote there. Bring it back from a copy; without it, remove the file: ` +
      'sandboxes then start without the variables that they were made with.',
  );
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  await createFile(path, `${newServerKeyText()}\n`);
  return await readFile(path, 'utf8');
}
