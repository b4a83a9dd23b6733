import type { KeyUpdate } from '@sandgate/server';
import type { Command } from 'commander';
import { durationForms } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import {
  addressOption,
  expiryOption,
  type LimitChanges,
  limitOption,
  scopesOption,
  textOption,
} from '../key-options.ts';
import { keyFields, keyJson } from '../key-text.ts';
import {
  addRestrictionOptions,
  type RestrictionOptions,
  restrictionChanges,
} from '../restriction-options.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends KeyStoreOptions, RestrictionOptions {
  readonly name?: string;
  readonly description?: string;
  readonly scopes?: readonly string[];
  readonly expire?: number | 'never';
  readonly allowAddress?: readonly string[];
  readonly limit?: LimitChanges;
  readonly json?: true;
}

const updateOf = (options: Options, restrictions = restrictionChanges(options)): KeyUpdate => ({
  ...(Object.keys(restrictions).length === 0 ? {} : { restrictions }),
  ...(options.name === undefined ? {} : { name: options.name }),
  ...(options.description === undefined ? {} : { description: options.description }),
  ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
  ...(options.expire === undefined
    ? {}
    : { expiresInMs: options.expire === 'never' ? null : options.expire }),
  ...(options.allowAddress === undefined ? {} : { addressAllowList: options.allowAddress }),
  ...(options.limit === undefined ? {} : { limits: options.limit }),
});

/** `keys update`. */
export function addKeysUpdate(keys: Command, terminal: Terminal): void {
  const command = addRestrictionOptions(addKeyStoreOptions(keys.command('update')))
    .description('Change a key. What is not given stays as it is, and so does its text.')
    .argument('<key>', 'number or 24-digit id of the key')
    .option('--name <name>', 'what it is called in lists', textOption(100))
    .option('--description <text>', 'what it is for', textOption(1_000))
    .option('--scopes <scopes>', 'all that it may do from now on', scopesOption)
    .option('--expire <duration>', `how long from now: ${durationForms}, or never`, expiryOption)
    .option(
      '--allow-address <cidr...>',
      'all addresses and CIDR blocks that it may be used from; "any" for everywhere',
      addressOption,
    )
    .option(
      '--limit <limits>',
      'limits to change: minute=10,day=none; hour=plan for that of the plan again',
      limitOption,
    )
    .option('--json', 'print JSON')
    .action(async (reference: string, options: Options) => {
      const update = updateOf(options);
      if (Object.keys(update).length === 0) {
        throw new Exit(exitCodes.usage, 'Say what to change. See: msb keys update --help');
      }
      const key = await administer(terminal, options, async (administration) => {
        await administration.updateKey(reference, update);
        return await administration.showKey(reference);
      });
      terminal.print(options.json ? JSON.stringify(keyJson(key)) : keyFields(key));
    });
  addExamples(
    command,
    'msb keys update 3 --limit minute=20,hour=plan',
    'msb keys update 3 --expire 30d --scopes sandbox:read,sandbox:exec',
    'msb keys update 3 --allow-address 192.0.2.0/24 2001:db8::/32',
    'msb keys update 3 --allow-address any --expire never',
    'msb keys update 3 --max-cpus 2 --templates any',
  );
}
