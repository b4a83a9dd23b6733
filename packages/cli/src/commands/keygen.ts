import type { Command } from 'commander';
import { durationForms, durationOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { issuedKeyJson, issuedKeyLines } from '../key-text.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends KeyStoreOptions {
  readonly expire?: number;
  readonly namespace?: string;
  readonly name?: string;
  readonly scopes?: string;
  readonly json?: true;
}

export function addKeygen(parent: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(parent.command('keygen'))
    .description(
      'Make a new API key and print it, this once. It works at once in a running server, and ' +
        'previous keys remain valid.',
    )
    .option(
      '--expire <duration>',
      `how long it is valid: ${durationForms} (default: for ever)`,
      durationOption,
    )
    .option('-n, --namespace <name>', 'the only namespace it may reach (default: all)')
    .option('--name <name>', 'what it is called in lists')
    .option('--scopes <scopes>', 'what it may do, as in sandbox:read,sandbox:exec (default: *)')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const { expire, namespace, name, scopes } = options;
      const issued = await administer(
        terminal,
        options,
        (administration) =>
          administration.issueKey({
            ...(expire === undefined ? {} : { expiresInMs: expire }),
            ...(namespace === undefined ? {} : { namespace }),
            ...(name === undefined ? {} : { name }),
            ...(scopes === undefined ? {} : { scopes: scopes.split(',').map((s) => s.trim()) }),
          }),
        { create: true },
      );
      terminal.print(options.json ? JSON.stringify(issuedKeyJson(issued)) : issuedKeyLines(issued));
    });
  addExamples(
    command,
    'msb server keygen',
    'msb server keygen --expire 3mo',
    'msb server keygen --expire 1w --namespace project-web --name ci',
  );
}
