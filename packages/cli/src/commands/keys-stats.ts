import type { KeyStatistics, Statistics } from '@sandgate/server';
import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import {
  keyStatisticsJson,
  keyStatisticsText,
  statisticsJson,
  statisticsText,
} from '../statistics-text.ts';
import type { Terminal } from '../terminal.ts';
import { timeForms, timeOption } from '../time-option.ts';

interface Options extends KeyStoreOptions {
  readonly namespace?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
}

const standardMs = 30 * 86_400_000;

/** `keys stats`. */
export function addKeysStats(keys: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(keys.command('stats'))
    .description(
      'Count keys, requests and tickets; or for one key its requests by endpoint, and what is left of its limits.',
    )
    .argument('[key]', 'number or 24-digit id of one key')
    .option('-n, --namespace <name>', "only this namespace's")
    .option(
      '--from <time>',
      `of one key, since then: ${timeForms} (default: 30 days ago)`,
      timeOption,
    )
    .option('--to <time>', 'of one key, before then (default: now)', timeOption)
    .option('--json', 'print JSON')
    .action(async (reference: string | undefined, options: Options) => {
      if (reference === undefined) {
        await printStatistics(terminal, options);
        return;
      }
      if (options.namespace !== undefined) {
        throw new Exit(exitCodes.usage, 'A key is of one namespace: leave out --namespace.');
      }
      const toMs = options.to ?? Date.now() + 1;
      const times = { fromMs: options.from ?? toMs - standardMs, toMs };
      const found = await administer<KeyStatistics>(terminal, options, (administration) =>
        administration.keyStatistics(reference, times),
      );
      terminal.print(
        options.json ? JSON.stringify(keyStatisticsJson(found, times)) : keyStatisticsText(found),
      );
    });
  addExamples(
    command,
    'msb keys stats',
    'msb keys stats -n team-alpha',
    'msb keys stats 3 --from 7d',
  );
}

async function printStatistics(terminal: Terminal, options: Options): Promise<void> {
  if (options.from !== undefined || options.to !== undefined) {
    throw new Exit(
      exitCodes.usage,
      'The counts of all keys are over all time. Name a key, or use `msb usage --by day --from …`.',
    );
  }
  const found = await administer<Statistics>(terminal, options, (administration) =>
    administration.statistics(options.namespace),
  );
  terminal.print(options.json ? JSON.stringify(statisticsJson(found)) : statisticsText(found));
}
