import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { Exit, exitCodes, failure } from './exit.ts';
import { repeatedOption } from './pair-option.ts';
import type { Terminal } from './terminal.ts';

export interface EnvironmentOptions {
  readonly env?: readonly string[];
  readonly envFile?: string;
}

/** Without a value, so that a secret does not show in the list of processes. */
export function addEnvironmentOptions(command: Command): Command {
  return command
    .option(
      '-e, --env <name[=value]>',
      'variable for it; without a value, that of your own environment. May be repeated',
      repeatedOption,
    )
    .option('--env-file <file>', 'file with lines NAME=value, for secrets among others');
}

/**
 * What `--env` and `--env-file` say; the former wins.
 * @throws Exit
 */
export async function chosenEnvironment(
  terminal: Pick<Terminal, 'environment' | 'currentFolder'>,
  { env = [], envFile }: EnvironmentOptions,
): Promise<Readonly<Record<string, string>>> {
  const chosen: Record<string, string> = {};
  if (envFile !== undefined) {
    const text = await readFile(resolve(terminal.currentFolder, envFile), 'utf8').catch((error) => {
      throw failure(`The file of --env-file cannot be read: ${error.message}`, error);
    });
    for (const [name, value] of Object.entries(parseEnv(text))) chosen[name] = value ?? '';
  }
  for (const text of env) {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? terminal.environment[text] : text.slice(at + 1);
    if (name === '') throw new Exit(exitCodes.usage, `--env ${text} has no name.`);
    if (value === undefined) {
      throw new Exit(exitCodes.usage, `--env ${name}: there is no such variable here to pass on.`);
    }
    chosen[name] = value;
  }
  return chosen;
}
