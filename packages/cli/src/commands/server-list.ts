import type { SandboxView } from '@sandgate/server';
import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { timeText } from '../time-text.ts';

interface Options extends KeyStoreOptions {
  readonly namespace?: string;
  readonly json?: true;
}

function sandboxTable(sandboxes: readonly SandboxView[]): string {
  return formatTable(
    ['NAMESPACE', 'SANDBOX', 'STATE', 'IMAGE', 'CREATED'],
    sandboxes.map(({ namespace, name, state, image, createdAtMs }) => [
      namespace,
      name,
      state,
      image,
      timeText(createdAtMs),
    ]),
  );
}

function sandboxJson({ createdAtMs, updatedAtMs, ...rest }: SandboxView): object {
  return { ...rest, createdAt: timeText(createdAtMs), updatedAt: timeText(updatedAtMs) };
}

export function addServerList(parent: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(parent.command('list'))
    .description('List the sandboxes of all namespaces, or of one.')
    .option('-n, --namespace <name>', "only this namespace's")
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const sandboxes = await administer(terminal, options, (administration) =>
        administration.listSandboxes(options.namespace),
      );
      if (options.json) terminal.print(JSON.stringify(sandboxes.map(sandboxJson)));
      else terminal.print(sandboxes.length === 0 ? 'No sandboxes found' : sandboxTable(sandboxes));
    });
  addExamples(command, 'msb server list', 'msb server list -n team-alpha');
}
