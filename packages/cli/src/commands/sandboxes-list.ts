import type { SandboxPage } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, connectApi, type ServerOptions } from '../api-client.ts';
import { listItems } from '../api-pages.ts';
import { addExamples } from '../examples.ts';
import { addListOptions, type ListOptions, printList } from '../list-options.ts';
import { joinPairs, pairOption } from '../pair-option.ts';
import { sandboxTable } from '../sandbox-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions, ListOptions {
  readonly state?: string;
  readonly template?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly prefix?: string;
  readonly search?: string;
}

/** `sandboxes list`. */
export function addSandboxesList(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('list'))
    .description('List sandboxes, newest first. Deleted ones only with --state destroyed.')
    .option('--state <states>', 'only those in these states, as in ready,paused')
    .option('--template <name>', 'only those made of this template or image')
    .option('-l, --label <name=value>', 'only those with this label; may be repeated', pairOption)
    .option('--prefix <text>', 'only those whose name begins so')
    .option('--search <text>', 'only those with this in their name');
  addListOptions(command).action(async (options: Options) => {
    const { state, template, label, prefix, search } = options;
    const api = await connectApi(terminal, options);
    const query = {
      state,
      template,
      label: label && joinPairs(label),
      name_prefix: prefix,
      q: search,
    };
    await printList(terminal, options, {
      find: (limit) =>
        listItems(api, 'sandboxes', query, limit, (page: SandboxPage) => page.sandboxes),
      noneFound: 'No sandboxes found',
      table: (found) => sandboxTable(found, Date.now(), terminal),
    });
  });
  addExamples(
    command,
    'msb sandboxes list',
    'msb sandboxes list --state ready,paused --label team=blue',
    'msb sandboxes list --search ci --json',
  );
}
