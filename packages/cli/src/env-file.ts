import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Terminal } from './terminal.ts';

const ownPrefix = /^(MSB|SANDGATE)_/;

/**
 * The environment of a client's call: what is set, then what `.env` in the current folder says of
 * Sandgate's own variables. With MSB_API_KEY set the file is not read, so that a folder's file
 * cannot send a key of the user's to an address of its own.
 */
export async function clientEnvironment(
  terminal: Pick<Terminal, 'environment' | 'currentFolder'>,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { environment, currentFolder } = terminal;
  if (environment.MSB_API_KEY) return environment;
  let text: string;
  try {
    text = await readFile(join(currentFolder, '.env'), 'utf8');
  } catch {
    return environment;
  }
  const read = Object.entries(parseEnv(text)).filter(
    ([name]) => ownPrefix.test(name) && !environment[name],
  );
  return { ...environment, ...Object.fromEntries(read) };
}
