import type { IssueKeyRequest } from '@sandgate/core';
import type { Command } from 'commander';
import { durationForms, durationOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import {
  addressOption,
  type LimitChanges,
  limitOption,
  scopesOption,
  textOption,
} from '../key-options.ts';
import { issuedKeyFields, issuedKeyJson } from '../key-text.ts';
import {
  addRestrictionOptions,
  newRestrictions,
  type RestrictionOptions,
} from '../restriction-options.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface CreateOptions extends KeyStoreOptions, RestrictionOptions {
  readonly name?: string;
  readonly description?: string;
  readonly namespace?: string;
  readonly scopes?: readonly string[];
  readonly expire?: number;
  readonly allowAddress?: readonly string[];
  readonly limit?: LimitChanges;
  readonly json?: true;
}

/** What a new key is made of. A limit of the plan is one that is not given. */
const requestOf = (options: CreateOptions): Omit<IssueKeyRequest, 'namespace'> => ({
  ...(options.name === undefined ? {} : { name: options.name }),
  ...(options.description === undefined ? {} : { description: options.description }),
  ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
  ...(options.expire === undefined ? {} : { expiresInMs: options.expire }),
  ...(options.allowAddress === undefined ? {} : { addressAllowList: options.allowAddress }),
  restrictions: newRestrictions(options),
  ...(options.limit === undefined
    ? {}
    : {
        limits: Object.fromEntries(
          Object.entries(options.limit).filter(([, limit]) => limit !== 'plan'),
        ),
      }),
});

/** What `absent` says about an option that is not given. */
function addKeyOptions(command: Command, absent: { readonly [option: string]: string }): Command {
  return addRestrictionOptions(command)
    .option('--name <name>', 'what it is called in lists', textOption(100))
    .option('--description <text>', 'what it is for', textOption(1_000))
    .option(
      '--scopes <scopes>',
      `what it may do, as in sandbox:read,sandbox:exec (default: ${absent.scopes})`,
      scopesOption,
    )
    .option(
      '--expire <duration>',
      `how long it is valid: ${durationForms} (default: ${absent.expire})`,
      durationOption,
    )
    .option(
      '--allow-address <cidr...>',
      `where it may be used from: addresses and CIDR blocks (default: ${absent.address})`,
      addressOption,
    )
    .option(
      '--limit <limits>',
      `how often: minute=10,hour=100,day=none,quota24h=500 (default: ${absent.limit})`,
      limitOption,
    )
    .option('--json', 'print JSON');
}

/** `keys create`. */
export function addKeysCreate(keys: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(keys.command('create'))
    .description('Make an API key and print it, this once. It works at once in a running server.')
    .option('-n, --namespace <name>', 'the only namespace it may reach (default: all)');
  addKeyOptions(command, {
    scopes: '*, everything',
    expire: 'for ever',
    address: 'anywhere',
    limit: "the namespace's plan; none for a key of all namespaces",
  }).action(async (options: CreateOptions) => {
    const { namespace, json } = options;
    const issued = await administer(
      terminal,
      options,
      (administration) =>
        administration.issueKey({
          ...requestOf(options),
          ...(namespace === undefined ? {} : { namespace }),
        }),
      { create: true },
    );
    terminal.print(json ? JSON.stringify(issuedKeyJson(issued)) : issuedKeyFields(issued));
  });
  addExamples(
    command,
    'msb keys create --name ci --namespace team-alpha --expire 3mo',
    'msb keys create --name reports -n team-alpha --scopes usage:read,audit:read',
    'msb keys create --name worker -n team-alpha --limit minute=10,day=none --allow-address 10.0.0.0/8',
  );
}

/** `keys child`. */
export function addKeysChild(keys: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(keys.command('child'))
    .description('Make a key that reaches no further than another one, and dies with it.')
    .argument('<parent>', 'number or 24-digit id of the key that it belongs to');
  addKeyOptions(command, {
    scopes: "its parent's",
    expire: 'with its parent',
    address: "its parent's",
    limit: "its parent's",
  }).action(async (parent: string, options: CreateOptions) => {
    const issued = await administer(terminal, options, (administration) =>
      administration.mintChild(parent, requestOf(options)),
    );
    terminal.print(options.json ? JSON.stringify(issuedKeyJson(issued)) : issuedKeyFields(issued));
  });
  addExamples(
    command,
    'msb keys child 3 --name job-17 --expire 1h',
    'msb keys child 3 --scopes sandbox:exec --limit minute=5',
    'msb keys child 3 --templates python --sandbox-prefix job- --max-memory 512',
  );
}
