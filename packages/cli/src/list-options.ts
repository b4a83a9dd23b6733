import type { Command } from 'commander';
import { wholeNumberOption } from './duration-option.ts';
import type { Terminal } from './terminal.ts';

/** Options of every list of the API. */
export interface ListOptions {
  readonly limit?: number;
  readonly json?: true;
}

const standardLimit = 1_000;

export function addListOptions(command: Command): Command {
  return command
    .option(
      '--limit <number>',
      `this many at most (default: ${standardLimit})`,
      wholeNumberOption(1),
    )
    .option('--json', 'print JSON');
}

/** Prints a list, and says when there is more of it than was asked for. */
export async function printList<Item>(
  terminal: Terminal,
  { limit, json }: ListOptions,
  list: {
    readonly find: (
      limit: number,
    ) => Promise<{ readonly items: readonly Item[]; readonly total: number }>;
    readonly noneFound: string;
    readonly table: (items: readonly Item[]) => string;
  },
): Promise<void> {
  const { items, total } = await list.find(limit ?? standardLimit);
  if (json) terminal.print(JSON.stringify(items));
  else terminal.print(items.length === 0 ? list.noneFound : list.table(items));
  if (total > items.length && limit === undefined) {
    terminal.note(`The newest ${items.length} of ${total}. For more: --limit`);
  }
}
