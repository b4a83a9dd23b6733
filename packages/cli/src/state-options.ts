import { stat } from 'node:fs/promises';
import type { OpenAdministration } from '@sandgate/server';
import type { Command } from 'commander';
import { failure } from './exit.ts';
import { loadServer } from './server-module.ts';
import type { Terminal } from './terminal.ts';

/** Options of every command that works on a state directory. */
export interface StateOptions {
  readonly path?: string;
}

/** Options of the commands that read or write keys. */
export interface KeyStoreOptions extends StateOptions {
  readonly keyFile?: string;
}

export function addStateOption(command: Command): Command {
  return command.option(
    '-p, --path <dir>',
    'state directory (default: SANDGATE_HOME, else ~/.sandgate)',
  );
}

export function addKeyStoreOptions(command: Command): Command {
  return addStateOption(command).option(
    '--key-file <file>',
    'file with the server key, if the server was started with one',
  );
}

export async function homeOf(terminal: Terminal, options: StateOptions): Promise<string> {
  const { chooseHome } = await loadServer();
  return chooseHome(options.path, terminal.environment);
}

/** A mistyped path would otherwise become a new, empty state directory. */
async function requireHome(home: string): Promise<void> {
  const there = await stat(home).catch(() => null);
  if (there === null) throw failure(`There is no state directory ${home}. Check --path.`);
}

/** Opens the store of a state directory for one command, whether or not a server runs on it. */
export async function administer<T>(
  terminal: Terminal,
  options: KeyStoreOptions,
  work: (administration: OpenAdministration) => Promise<T>,
  { create }: { readonly create?: boolean } = {},
): Promise<T> {
  const { chooseServerKeySource, openAdministration } = await loadServer();
  const home = await homeOf(terminal, options);
  if (create !== true) await requireHome(home);
  const administration = await openAdministration({
    home,
    environment: terminal.environment,
    serverKeySource: chooseServerKeySource({
      keyFile: options.keyFile,
      environment: terminal.environment.SANDGATE_SERVER_KEY,
    }),
  });
  try {
    return await work(administration);
  } finally {
    await administration.close();
  }
}
