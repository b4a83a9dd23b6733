import type { KeyState } from '@sandgate/core';
import type { Administration, ApiKeyView } from '@sandgate/server';
import { type Command, Option } from 'commander';
import { durationForms, durationOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { issuedKeyJson, issuedKeyLines, keyFields, keyJson, keyTable } from '../key-text.ts';
import { printableInLine } from '../printable.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';
import { timeText } from '../time-text.ts';
import { addKeysChild, addKeysCreate } from './keys-create.ts';
import { addKeysStats } from './keys-stats.ts';
import { addKeysUpdate } from './keys-update.ts';

interface ListOptions extends KeyStoreOptions {
  readonly namespace?: string;
  readonly state?: KeyState;
  readonly search?: string;
  readonly parent?: string;
  readonly all?: true;
  readonly json?: true;
}

interface RotateOptions extends KeyStoreOptions {
  readonly overlap?: number;
  readonly json?: true;
}

const keyArgument = ['<key>', 'number or 24-digit id of the key'] as const;

function addList(keys: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(keys.command('list'))
    .description('List keys. Their texts are not stored, and cannot be shown again.')
    .option('-n, --namespace <name>', "only this namespace's keys; '*' for those of all namespaces")
    .addOption(
      new Option('--state <state>', 'only keys in this state').choices([
        'active',
        'disabled',
        'expired',
        'revoked',
      ]),
    )
    .option('--search <text>', 'only keys with this in their name or description')
    .option('--parent <key>', 'only the children of this key')
    .option('-a, --all', 'revoked keys too')
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) => {
      const found = await administer(terminal, options, (administration) =>
        administration.listKeys({
          includeRevoked: options.all === true,
          ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          ...(options.state === undefined ? {} : { state: options.state }),
          ...(options.search === undefined ? {} : { search: options.search }),
          ...(options.parent === undefined ? {} : { parent: options.parent }),
        }),
      );
      if (options.json) terminal.print(JSON.stringify(found.map(keyJson)));
      else terminal.print(found.length === 0 ? 'No keys found' : keyTable(found));
    });
  addExamples(
    command,
    'msb keys list',
    'msb keys list -n team-alpha --state expired',
    'msb keys list --search ci --all --json',
  );
}

function addShow(keys: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(keys.command('show'))
    .description(
      'Show one key: what it may do, how often, from where, until when, and its last use.',
    )
    .argument(...keyArgument)
    .option('--json', 'print JSON')
    .action(async (reference: string, options: KeyStoreOptions & { readonly json?: true }) => {
      const key = await administer(terminal, options, (administration) =>
        administration.showKey(reference),
      );
      terminal.print(options.json ? JSON.stringify(keyJson(key)) : keyFields(key));
    });
  addExamples(command, 'msb keys show 3');
}

function addRotate(keys: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(keys.command('rotate'))
    .description('Give a key a new text and print it, this once. The old one ends.')
    .argument(...keyArgument)
    .option(
      '--overlap <duration>',
      `how long the old text stays valid: ${durationForms} (default: not at all)`,
      durationOption,
    )
    .option('--json', 'print JSON')
    .action(async (reference: string, options: RotateOptions) => {
      const { overlap, json } = options;
      const issued = await administer(terminal, options, (administration) =>
        administration.rotateKey(reference, overlap === undefined ? {} : { overlapMs: overlap }),
      );
      terminal.print(json ? JSON.stringify(issuedKeyJson(issued)) : issuedKeyLines(issued));
      if (!json) terminal.note(oldTextNote(issued.key, overlap ?? 0, Date.now()));
    });
  addExamples(command, 'msb keys rotate 3', 'msb keys rotate 3 --overlap 24h');
}

/** A text ends with its key at the latest, whatever the overlap. */
function oldTextNote({ expiresAtMs }: ApiKeyView, overlapMs: number, nowMs: number): string {
  if (overlapMs === 0) return 'The old text is not valid any more.';
  const untilMs = Math.min(nowMs + overlapMs, expiresAtMs ?? Number.POSITIVE_INFINITY);
  return `The old text stays valid until ${timeText(untilMs)}.`;
}

/** Commands that change a key's state and say which key it was. */
const changes = [
  {
    name: 'revoke',
    description: 'Revoke a key, for ever and at once.',
    done: 'is revoked',
    change: (administration: Administration, key: string) => administration.revokeKey(key),
  },
  {
    name: 'disable',
    description: 'Switch a key off. It can be enabled again.',
    done: 'is disabled',
    change: (administration: Administration, key: string) =>
      administration.setKeyEnabled(key, false),
  },
  {
    name: 'enable',
    description: 'Switch a disabled key on again.',
    done: 'is enabled',
    change: (administration: Administration, key: string) =>
      administration.setKeyEnabled(key, true),
  },
] as const;

const describeKey = ({ number, name, display }: ApiKeyView): string =>
  `Key ${number} (${name === '' ? display : `${printableInLine(name)}, ${display}`})`;

/** `keys list | show | stats | create | child | update | rotate | revoke | disable | enable`. */
export function addKeys(parent: Command, terminal: Terminal): void {
  const keys = parent.command('keys').description('Make, see, change, rotate and revoke API keys.');
  addList(keys, terminal);
  addShow(keys, terminal);
  addKeysStats(keys, terminal);
  addKeysCreate(keys, terminal);
  addKeysChild(keys, terminal);
  addKeysUpdate(keys, terminal);
  addRotate(keys, terminal);
  for (const { name, description, done, change } of changes) {
    const command = addKeyStoreOptions(keys.command(name))
      .description(description)
      .argument(...keyArgument)
      .action(async (reference: string, options: KeyStoreOptions) => {
        const key = await administer(terminal, options, (administration) =>
          change(administration, reference),
        );
        terminal.print(`${describeKey(key)} ${done}.`);
      });
    addExamples(command, `msb keys ${name} 3`);
  }
}
