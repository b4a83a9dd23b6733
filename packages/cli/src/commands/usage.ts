import { csvLine, type UsageFilter } from '@sandgate/core';
import type { UsageQuery, UsageRowView } from '@sandgate/server';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { timeForms, timeOption } from '../time-option.ts';
import { bucketRecord, bucketTable, usageColumns, usageRecord, usageTable } from '../usage-text.ts';

interface Options extends KeyStoreOptions {
  readonly key?: string;
  readonly namespace?: string;
  readonly endpoint?: string;
  readonly status?: NonNullable<UsageFilter['status']>;
  readonly from?: number;
  readonly to?: number;
  readonly by?: 'hour' | 'day';
  readonly limit?: number | 'all';
  readonly csv?: true;
  readonly json?: true;
}

const standardLimit = 100;

function statusOption(text: string): NonNullable<UsageFilter['status']> {
  const statusClass = (['1xx', '2xx', '3xx', '4xx', '5xx'] as const).find((each) => each === text);
  if (statusClass !== undefined) return statusClass;
  if (/^[1-5][0-9]{2}$|^0$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a status, as 404, or a class of them, as 4xx.');
}

const limitOption = (text: string): number | 'all' =>
  text === 'all' ? 'all' : wholeNumberOption(1)(text);

const queryOf = ({ key, namespace, endpoint, status, from, to }: Options): UsageQuery => ({
  ...(key === undefined ? {} : { key }),
  ...(namespace === undefined ? {} : { namespace }),
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(status === undefined ? {} : { status }),
  ...(from === undefined ? {} : { fromMs: from }),
  ...(to === undefined ? {} : { toMs: to }),
});

async function printRows(terminal: Terminal, options: Options): Promise<void> {
  const limit = options.limit === 'all' ? null : (options.limit ?? standardLimit);
  await administer(terminal, options, async (administration) => {
    const pages = administration.listUsage(queryOf(options), limit);
    if (options.csv) {
      terminal.write(csvLine(usageColumns));
      for await (const rows of pages) {
        terminal.write(rows.map((row) => csvLine(Object.values(usageRecord(row)))).join(''));
      }
      return;
    }
    const rows: UsageRowView[] = [];
    for await (const page of pages) rows.push(...page);
    if (options.json) terminal.print(JSON.stringify(rows.map(usageRecord)));
    else terminal.print(rows.length === 0 ? 'No requests found' : formatTable(...usageTable(rows)));
    if (rows.length === limit && options.limit === undefined) {
      terminal.note(`The newest ${limit}. For others: --limit, --from and --to.`);
    }
  });
}

async function printSummary(
  terminal: Terminal,
  options: Options,
  by: 'hour' | 'day',
): Promise<void> {
  if (options.status !== undefined || options.limit !== undefined) {
    throw new Exit(exitCodes.usage, '--by sums up all requests: leave out --status and --limit.');
  }
  const { endpoint, ...query } = queryOf(options);
  const all = await administer(terminal, options, (administration) =>
    administration.summarizeUsage(query, by),
  );
  const buckets = all.filter((bucket) => endpoint === undefined || bucket.endpoint === endpoint);
  const records = buckets.map(bucketRecord);
  if (options.json) terminal.print(JSON.stringify(records));
  else if (options.csv) {
    terminal.write(csvLine(['start', 'method', 'endpoint', 'calls', 'successes', 'averageMs']));
    terminal.write(records.map((record) => csvLine(Object.values(record))).join(''));
  } else {
    const text = buckets.length === 0 ? 'No requests found' : formatTable(...bucketTable(buckets));
    terminal.print(text);
  }
}

/** `usage`. */
export function addUsage(parent: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(parent.command('usage'))
    .description('List the requests that came with a key, newest first, or sum them up.')
    .option('--key <key>', "only this key's: its number or 24-digit id")
    .option('-n, --namespace <name>', "only this namespace's")
    .option('--endpoint <endpoint>', 'only this endpoint, as the list names it')
    .option('--status <status>', 'only this status, as 404, or class of them, as 4xx', statusOption)
    .option('--from <time>', `since then: ${timeForms}`, timeOption)
    .option('--to <time>', 'before then', timeOption)
    .addOption(
      new Option('--by <unit>', 'sum up by endpoint and UTC hour or day').choices(['hour', 'day']),
    )
    .option(
      '--limit <count>',
      `how many requests, or "all" (default: ${standardLimit})`,
      limitOption,
    )
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      if (options.by === undefined) await printRows(terminal, options);
      else await printSummary(terminal, options, options.by);
    });
  addExamples(
    command,
    'msb usage --key 3 --from "24h ago"',
    'msb usage --status 4xx --limit 20',
    'msb usage --by day --from 2w',
    'msb usage --from 2027-01-01 --to 2027-02-01 --limit all --csv',
  );
}
