import { createReadStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { FileEntryItem } from '@sandgate/server';
import { type ApiClient, apiPath } from './api-client.ts';
import { downloadFile, type RemotePlace, uploadFile } from './copy-file.ts';
import { failure } from './exit.ts';

/** Told of what is neither file nor directory: a link may lead anywhere at the other end. */
type OnSkipped = (path: string) => void;

/** File by file, into a directory that may be there already. */
export async function uploadDirectory(
  api: ApiClient,
  source: string,
  { sandbox, path }: RemotePlace,
  onSkipped: OnSkipped,
): Promise<void> {
  await api.call('POST', apiPath`sandboxes/${sandbox}/files/directories`, {
    json: { path, parents: true },
  });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = { sandbox, path: posix.join(path, entry.name) };
    if (entry.isDirectory()) await uploadDirectory(api, from, to, onSkipped);
    else if (!entry.isFile()) onSkipped(from);
    else await uploadFile(api, createReadStream(from), to, (await stat(from)).mode);
  }
}

export async function downloadDirectory(
  api: ApiClient,
  { sandbox, path }: RemotePlace,
  target: string,
  onSkipped: OnSkipped,
): Promise<void> {
  await mkdir(target).catch(async (error) => {
    if (!(await stat(target).catch(() => null))?.isDirectory()) throw error;
  });
  const { entries } = await api.call<{ readonly entries: readonly FileEntryItem[] }>(
    'GET',
    apiPath`sandboxes/${sandbox}/files/list`,
    { query: { path } },
  );
  for (const entry of entries) {
    const from = { sandbox, path: entry.path };
    const to = join(target, nameIn(path, entry.path));
    if (entry.kind === 'directory') await downloadDirectory(api, from, to, onSkipped);
    else if (entry.kind === 'file') await downloadFile(api, from, entry.mode, to);
    else onSkipped(entry.path);
  }
}

/** Nothing that a server says may lead out of the directory that is written to. */
function nameIn(directory: string, path: string): string {
  const name = posix.basename(path);
  if (name !== '' && name !== '..' && posix.join(directory, name) === posix.normalize(path)) {
    return name;
  }
  throw failure(`The server lists ${JSON.stringify(path)} in ${directory}, where it cannot be.`);
}
