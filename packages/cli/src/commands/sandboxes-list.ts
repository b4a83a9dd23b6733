import type { PageFields, SandboxItem } from '@sandgate/server';
import type { Command } from 'commander';
import { type ApiClient, addServerOptions, connectApi, type ServerOptions } from '../api-client.ts';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { joinPairs, pairOption } from '../pair-option.ts';
import { sandboxTable } from '../sandbox-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly state?: string;
  readonly template?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly prefix?: string;
  readonly search?: string;
  readonly limit?: number;
  readonly json?: true;
}

const pageSize = 100;
const standardLimit = 1_000;

export function addSandboxesList(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('list'))
    .description('List sandboxes, newest first. Deleted ones only with --state destroyed.')
    .option('--state <states>', 'only those in these states, as in ready,paused')
    .option('--template <name>', 'only those made of this template or image')
    .option('-l, --label <name=value>', 'only those with this label; may be repeated', pairOption)
    .option('--prefix <text>', 'only those whose name begins so')
    .option('--search <text>', 'only those with this in their name')
    .option(
      '--limit <number>',
      `this many at most (default: ${standardLimit})`,
      wholeNumberOption(1),
    )
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const api = await connectApi(terminal, options);
      const limit = options.limit ?? standardLimit;
      const { sandboxes: found, total } = await listSandboxes(api, options, limit);
      if (options.json) terminal.print(JSON.stringify(found));
      else if (found.length === 0) terminal.print('No sandboxes found');
      else terminal.print(sandboxTable(found, Date.now(), terminal));
      if (total > found.length && options.limit === undefined) {
        terminal.note(`The newest ${found.length} of ${total}. For more: --limit`);
      }
    });
  addExamples(
    command,
    'msb sandboxes list',
    'msb sandboxes list --state ready,paused --label team=blue',
    'msb sandboxes list --search ci --json',
  );
}

type SandboxPage = PageFields & { readonly sandboxes: readonly SandboxItem[] };

async function listSandboxes(
  api: ApiClient,
  { state, template, label, prefix, search }: Options,
  limit: number,
): Promise<{ readonly sandboxes: readonly SandboxItem[]; readonly total: number }> {
  const found: SandboxItem[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page: SandboxPage = await api.call('GET', 'sandboxes', {
      query: {
        state,
        template,
        label: label && joinPairs(label),
        name_prefix: prefix,
        q: search,
        cursor,
        size: Math.min(pageSize, limit - found.length),
      },
    });
    found.push(...page.sandboxes);
    if (page.next_cursor === null || found.length >= limit) {
      return { sandboxes: found, total: page.total };
    }
    cursor = page.next_cursor;
  }
}
