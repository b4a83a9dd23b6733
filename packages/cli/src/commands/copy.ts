import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, posix, resolve } from 'node:path';
import type { SandboxItem } from '@sandgate/server';
import type { Command } from 'commander';
import {
  type ApiClient,
  addServerOptions,
  apiPath,
  connectApi,
  type ServerOptions,
} from '../api-client.ts';
import { downloadDirectory, uploadDirectory } from '../copy-directory.ts';
import {
  downloadFile,
  localTarget,
  openRemote,
  type RemotePlace,
  remoteEntry,
  remoteTarget,
  uploadFile,
} from '../copy-file.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes, failure } from '../exit.ts';
import { printableInLine } from '../printable.ts';
import { withProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

/** `sandbox:path`. A colon after a slash is part of a path on this machine. */
const remoteForm = /^([^/:]+):(.*)$/s;

/** A path that is not absolute begins in the sandbox's working directory. */
async function remotePlace(api: ApiClient, text: string): Promise<RemotePlace> {
  const [, sandbox = '', path = ''] = remoteForm.exec(text) ?? [];
  if (path.startsWith('/')) return { sandbox, path };
  const { workdir } = await api.call<SandboxItem>('GET', apiPath`sandboxes/${sandbox}`);
  return { sandbox, path: posix.join(workdir, path) };
}

/** Standard input or output, in the place of a path here. */
const stream = '-';

const skippedNote = (terminal: Terminal) => (path: string) =>
  terminal.note(printableInLine(`Left out: ${path} is neither a file nor a directory.`));

async function upload(
  terminal: Terminal,
  api: ApiClient,
  source: string,
  place: RemotePlace,
): Promise<void> {
  if (source === stream) return await uploadFile(api, process.stdin, place);
  const entry = await stat(source).catch(() => null);
  if (entry === null) throw failure(`There is no file ${source}`);
  if (!entry.isFile() && !entry.isDirectory()) throw failure(`${source} is not a file.`);
  const target = await remoteTarget(api, place, basename(source));
  if (entry.isDirectory()) {
    await uploadDirectory(api, source, target, skippedNote(terminal));
  } else await uploadFile(api, createReadStream(source), target, entry.mode);
}

async function download(
  terminal: Terminal,
  api: ApiClient,
  place: RemotePlace,
  target: string,
): Promise<void> {
  if (target === stream) {
    for await (const piece of await openRemote(api, place)) terminal.write(piece);
    return;
  }
  const entry = await remoteEntry(api, place);
  if (entry === null) throw failure(`There is no file ${place.path} in ${place.sandbox}.`);
  const to = await localTarget(target, posix.basename(place.path));
  if (entry.kind === 'directory') {
    await downloadDirectory(api, place, to, skippedNote(terminal));
  } else await downloadFile(api, place, entry.mode, to);
}

/** `cp`. */
export function addCopy(parent: Command, terminal: Terminal): void {
  const command = addServerOptions(parent.command('cp'))
    .description('Copy a file, or a directory with everything in it, into a sandbox or out of one.')
    .argument('<from>', 'path here, - for standard input, or sandbox:path')
    .argument('<to>', 'sandbox:path, or path here, - for standard output')
    .action(async (from: string, to: string, options: ServerOptions) => {
      if (remoteForm.test(from) === remoteForm.test(to)) {
        const problem =
          'One of the two must be sandbox:path, and the other a path here, as ./file.';
        throw new Exit(exitCodes.usage, problem);
      }
      const api = await connectApi(terminal, options);
      const here = (path: string): string => {
        if (path === stream) return path;
        return resolve(terminal.currentFolder, path) + (path.endsWith('/') ? '/' : '');
      };
      const work = remoteForm.test(to)
        ? remotePlace(api, to).then((place) => upload(terminal, api, here(from), place))
        : remotePlace(api, from).then((place) => download(terminal, api, place, here(to)));
      await withProgress(terminal, `Copying ${from}`, work);
    });
  addExamples(
    command,
    'msb cp data.csv box:/workspace/in/',
    'msb cp box:/workspace/report.html .',
    'msb cp src box:/workspace',
    'msb cp box:report.html /tmp/today.html',
    'pg_dump shop | msb cp - box:/workspace/shop.sql',
  );
}
