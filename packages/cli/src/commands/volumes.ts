import type { VolumeItem, VolumePage } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { listItems } from '../api-pages.ts';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { addListOptions, type ListOptions, printList } from '../list-options.ts';
import { printableInLine } from '../printable.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { elapsedText } from '../time-text.ts';

interface CreateOptions extends ServerOptions {
  readonly size: number;
  readonly json?: true;
}

interface FindOptions extends ServerOptions, ListOptions {
  readonly prefix?: string;
  readonly attached?: true;
  readonly free?: true;
}

function addCreate(volumes: Command, terminal: Terminal): void {
  const command = addServerOptions(volumes.command('create'))
    .description('Make an empty volume. Sandboxes get it by msb sandboxes create --volume.')
    .argument('<name>', 'a-z, 0-9 and hyphens')
    .requiredOption('--size <MiB>', 'how much it holds', wholeNumberOption(1))
    .option('--json', 'print JSON')
    .action(async (name: string, { size, json, ...options }: CreateOptions) => {
      const api = await connectApi(terminal, options);
      const volume = await api.call<VolumeItem>('POST', 'volumes', {
        json: { name, size_mib: size },
      });
      terminal.print(json ? JSON.stringify(volume) : printableInLine(volume.name));
    });
  addExamples(
    command,
    'msb volumes create data --size 1024',
    'msb sandboxes create --volume data:/data',
  );
}

function addList(volumes: Command, terminal: Terminal): void {
  const command = addServerOptions(volumes.command('list'))
    .description('List volumes, newest first.')
    .option('--prefix <text>', 'only those whose name begins so')
    .option('--attached', 'only those that a sandbox has')
    .option('--free', 'only those that no sandbox has');
  addListOptions(command).action(async (options: FindOptions) => {
    const api = await connectApi(terminal, options);
    const query = {
      name_prefix: options.prefix,
      attached: options.attached ?? (options.free ? false : undefined),
    };
    await printList(terminal, options, {
      find: (limit) => listItems(api, 'volumes', query, limit, (page: VolumePage) => page.volumes),
      noneFound: 'No volumes found',
      table: (found) => volumeTable(found, Date.now(), terminal),
    });
  });
  addExamples(command, 'msb volumes list', 'msb volumes list --free --json');
}

const volumeTable = (
  volumes: readonly VolumeItem[],
  nowMs: number,
  { columns }: Terminal,
): string =>
  formatTable(
    ['NAME', 'SIZE', 'STATE', 'SANDBOX', 'PATH', 'AGE', 'ID'],
    volumes.map((volume) => [
      volume.name,
      `${volume.size_mib} MiB`,
      volume.state,
      volume.attached_sandbox_id ?? '-',
      volume.path ?? '-',
      elapsedText(nowMs - Date.parse(volume.created_at)),
      volume.id,
    ]),
    { columns },
  );

/** `volumes create | list | delete`. */
export function addVolumes(parent: Command, terminal: Terminal): void {
  const volumes = parent
    .command('volumes')
    .description('Make, see and delete volumes: disks that outlive sandboxes.');
  addCreate(volumes, terminal);
  addList(volumes, terminal);
  const command = addServerOptions(volumes.command('delete'))
    .description('Delete volumes for ever, with what is on them. No sandbox may have them.')
    .argument('<volumes...>', 'names or ids of volumes')
    .action(async (references: readonly string[], options: ServerOptions) => {
      const api = await connectApi(terminal, options);
      for (const reference of references) {
        await api.call('DELETE', apiPath`volumes/${reference}`);
        terminal.print(`${printableInLine(reference)} is deleted.`);
      }
    });
  addExamples(command, 'msb volumes delete data');
}
