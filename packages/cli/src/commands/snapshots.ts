import type { SnapshotItem, SnapshotPage } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { listItems } from '../api-pages.ts';
import { bytesText } from '../bytes-text.ts';
import { durationForms } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { durationText } from '../lifetime-options.ts';
import { addListOptions, type ListOptions, printList } from '../list-options.ts';
import { printableInLine } from '../printable.ts';
import { withProgress } from '../progress.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { elapsedText } from '../time-text.ts';
import { addSnapshotsSchedule } from './snapshots-schedule.ts';

interface CreateOptions extends ServerOptions {
  readonly name?: string;
  readonly expire?: string;
  readonly json?: true;
}

interface FindOptions extends ServerOptions, ListOptions {
  readonly sandbox?: string;
  readonly prefix?: string;
  readonly automatic?: true;
}

/** The longest that the server keeps one call waiting. */
const longestSeconds = 300;

function addCreate(snapshots: Command, terminal: Terminal): void {
  const command = addServerOptions(snapshots.command('create'))
    .description(
      'Keep the files of a running sandbox as they are, and print the id of the snapshot.',
    )
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('--name <name>', 'a-z, 0-9 and hyphens (default: the time)')
    .option(
      '--expire <duration>',
      `when it is deleted: ${durationForms} (default: never)`,
      durationText,
    )
    .option('--json', 'print JSON')
    .action(async (sandbox: string, { name, expire, json, ...options }: CreateOptions) => {
      const api = await connectApi(terminal, options);
      const work = api.call<SnapshotItem>('POST', 'snapshots', {
        json: { sandbox, name, expires_in: expire, wait_seconds: longestSeconds },
      });
      const snapshot = await withProgress(terminal, `Making a snapshot of ${sandbox}`, work);
      if (snapshot.state === 'failed')
        throw failure(printableInLine(snapshot.failure ?? 'It failed'));
      terminal.print(json ? JSON.stringify(snapshot) : snapshot.id);
      if (snapshot.state === 'creating') terminal.note('It is still being made.');
    });
  addExamples(
    command,
    'msb snapshots create box --name before-upgrade --expire 7d',
    'msb sandboxes create --snapshot "$(msb snapshots create box)"',
  );
}

function addList(snapshots: Command, terminal: Terminal): void {
  const command = addServerOptions(snapshots.command('list'))
    .description('List snapshots, newest first, also those of sandboxes that are deleted.')
    .option('--sandbox <sandbox>', 'only those of this sandbox; of a deleted one by its id')
    .option('--prefix <text>', 'only those whose name begins so')
    .option('--automatic', 'only those that a schedule made');
  addListOptions(command).action(async (options: FindOptions) => {
    const { sandbox, prefix, automatic } = options;
    const api = await connectApi(terminal, options);
    const query = { sandbox, name_prefix: prefix, automatic };
    await printList(terminal, options, {
      find: (limit) =>
        listItems(api, 'snapshots', query, limit, (page: SnapshotPage) => page.snapshots),
      noneFound: 'No snapshots found',
      table: (found) => snapshotTable(found, Date.now(), terminal),
    });
  });
  addExamples(command, 'msb snapshots list', 'msb snapshots list --sandbox box --automatic');
}

const snapshotTable = (
  snapshots: readonly SnapshotItem[],
  nowMs: number,
  { columns }: Terminal,
): string =>
  formatTable(
    ['ID', 'NAME', 'STATE', 'SIZE', 'TEMPLATE', 'AGE', 'ENDS IN', 'SANDBOX'],
    snapshots.map((snapshot) => [
      snapshot.id,
      snapshot.name,
      snapshot.state,
      snapshot.size_bytes === null ? '-' : bytesText(snapshot.size_bytes),
      snapshot.template,
      elapsedText(nowMs - Date.parse(snapshot.created_at)),
      snapshot.expires_at === null ? 'never' : elapsedText(Date.parse(snapshot.expires_at) - nowMs),
      snapshot.sandbox_id,
    ]),
    { columns },
  );

/** `snapshots create | list | schedule | delete`. */
export function addSnapshots(parent: Command, terminal: Terminal): void {
  const snapshots = parent
    .command('snapshots')
    .description('Keep the files of sandboxes, and begin new ones with them.');
  addCreate(snapshots, terminal);
  addList(snapshots, terminal);
  addSnapshotsSchedule(snapshots, terminal);
  const command = addServerOptions(snapshots.command('delete'))
    .description('Delete snapshots for ever.')
    .argument('<snapshots...>', 'ids of snapshots')
    .action(async (ids: readonly string[], options: ServerOptions) => {
      const api = await connectApi(terminal, options);
      for (const id of ids) {
        await api.call('DELETE', apiPath`snapshots/${id}`);
        terminal.print(`${printableInLine(id)} is deleted.`);
      }
    });
  addExamples(command, 'msb snapshots delete 01a22ec084d73ee31add3e7b');
}
