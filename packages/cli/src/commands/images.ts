import type { ImageItem, ImageList, PulledImageItem } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface JsonOptions extends ServerOptions {
  readonly json?: true;
}

const imageArgument = ['<image>', 'its name, or its 24-digit id'] as const;

function addList(images: Command, terminal: Terminal): void {
  const command = addServerOptions(images.command('list'))
    .description('List the images that the workspace has set up, the oldest first.')
    .option('--json', 'print JSON')
    .action(async (options: JsonOptions) => {
      const api = await connectApi(terminal, options);
      const { images: found } = await api.call<ImageList>('GET', 'images');
      if (options.json) terminal.print(JSON.stringify(found));
      else terminal.print(found.length === 0 ? 'No images found' : tableOf(found, terminal));
    });
  addExamples(command, 'msb images list');
}

const tableOf = (found: readonly ImageItem[], { columns }: Terminal): string =>
  formatTable(
    ['ID', 'NAME', 'IMAGE', 'REGISTRY', 'STATE'],
    found.map((each) => [
      each.id,
      each.name,
      `${each.image}:${each.tag}`,
      each.registry_name ?? '',
      each.enabled ? 'on' : 'off',
    ]),
    { columns },
  );

interface AddOptions extends JsonOptions {
  readonly tag: string;
  readonly registry?: string;
  readonly description?: string;
}

function addAdd(images: Command, terminal: Terminal): void {
  const command = addServerOptions(images.command('add'))
    .description('Let sandboxes be made of an image, by a name.')
    .argument('<name>', 'what sandboxes name as their image or template')
    .argument('<image>', 'as in debian or ghcr.io/owner/name')
    .option('--tag <tag>', 'which one of it', 'latest')
    .option('--registry <id>', 'pull it as the user of this registry: msb registries list')
    .option('--description <text>', 'what it is for')
    .option('--json', 'print JSON')
    .action(async (name: string, image: string, options: AddOptions) => {
      const api = await connectApi(terminal, options);
      const { tag, registry: registry_id, description } = options;
      const made = await api.call<ImageItem>('POST', 'images', {
        json: { name, image, tag, registry_id, description },
      });
      terminal.print(options.json ? JSON.stringify(made) : `Added, with the id ${made.id}.`);
    });
  addExamples(
    command,
    'msb images add debian debian --tag 12',
    'msb images add app ghcr.io/team/app --registry 68b5c0f2a1d4e8937c5b0a12',
  );
}

interface ProgressData {
  readonly phase: string;
  readonly done_bytes: number;
  readonly total_bytes: number | null;
}

function addPull(images: Command, terminal: Terminal): void {
  const command = addServerOptions(images.command('pull'))
    .description('Bring an image now, or what is new of it. Ctrl-C gives it up.')
    .argument(...imageArgument)
    .option('--json', 'print JSON')
    .action(async (image: string, options: JsonOptions) => {
      const api = await connectApi(terminal, options);
      let last = '';
      let pulled: PulledImageItem | null = null;
      for await (const { event, data } of api.events('POST', apiPath`images/${image}/pull`)) {
        if (event === 'error') throw failure((data as { readonly detail: string }).detail);
        if (event === 'ready') pulled = data as PulledImageItem;
        if (event !== 'progress') continue;
        const line = progressText(data as ProgressData);
        if (line !== last) terminal.note(line);
        last = line;
      }
      if (pulled === null) throw failure('The server ended before the image was here.');
      terminal.print(options.json ? JSON.stringify(pulled) : `Here: ${pulled.digest}`);
    });
  addExamples(command, 'msb images pull debian');
}

function progressText({ phase, done_bytes, total_bytes }: ProgressData): string {
  if (total_bytes === null || total_bytes === 0) return `${phase} …`;
  const tenths = Math.floor((10 * done_bytes) / total_bytes);
  return `${phase} … ${tenths * 10} % of ${Math.ceil(total_bytes / 1_048_576)} MiB`;
}

function addRemove(images: Command, terminal: Terminal): void {
  const command = addServerOptions(images.command('remove'))
    .description('Let no more sandboxes be made of an image. Those that were, stay.')
    .argument(...imageArgument)
    .action(async (image: string, options: ServerOptions) => {
      const api = await connectApi(terminal, options);
      await api.call('DELETE', apiPath`images/${image}`);
      terminal.print('Removed.');
    });
  addExamples(command, 'msb images remove debian');
}

/** `images list | add | pull | remove`. */
export function addImages(parent: Command, terminal: Terminal): void {
  const images = parent
    .command('images')
    .description('Images of registries that sandboxes of a workspace are made of.');
  addList(images, terminal);
  addAdd(images, terminal);
  addPull(images, terminal);
  addRemove(images, terminal);
}
