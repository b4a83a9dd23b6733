import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FileEntryItem } from '@sandgate/server';
import { type ApiClient, apiPath } from './api-client.ts';
import { failure } from './exit.ts';
import { Refusal } from './refusal.ts';

/** A file or directory in a sandbox. */
export interface RemotePlace {
  readonly sandbox: string;
  /** Absolute. */
  readonly path: string;
}

const permissionBits = 0o777;

export async function remoteEntry(
  api: ApiClient,
  { sandbox, path }: RemotePlace,
): Promise<FileEntryItem | null> {
  try {
    return await api.call('GET', apiPath`sandboxes/${sandbox}/files/entry`, { query: { path } });
  } catch (error) {
    if (error instanceof Refusal && error.errorCode === 'file_not_found') return null;
    throw error;
  }
}

/** Where a copy of `name` goes: into a directory that is there, else under the name that is given. */
export async function remoteTarget(
  api: ApiClient,
  place: RemotePlace,
  name: string,
): Promise<RemotePlace> {
  const entry = await remoteEntry(api, place);
  const inside = entry?.kind === 'directory' || (entry === null && place.path.endsWith('/'));
  return inside ? { ...place, path: posix.join(place.path, name) } : place;
}

/** The same on this machine. */
export async function localTarget(path: string, name: string): Promise<string> {
  const entry = await stat(path).catch(() => null);
  if (entry?.isDirectory()) return join(path, name);
  if (path.endsWith('/')) throw failure(`There is no directory ${path}`);
  return path;
}

/** Directories above the file are made. Without a mode it gets that of any new file. */
export async function uploadFile(
  api: ApiClient,
  content: Readable,
  { sandbox, path }: RemotePlace,
  mode?: number,
): Promise<void> {
  const bits = mode && (mode & permissionBits).toString(8).padStart(4, '0');
  await api.call('PUT', apiPath`sandboxes/${sandbox}/files`, {
    query: { path, parents: true, mode: bits },
    upload: content,
  });
}

export const openRemote = (api: ApiClient, { sandbox, path }: RemotePlace): Promise<Readable> =>
  api.open('GET', apiPath`sandboxes/${sandbox}/files`, { query: { path } });

/** Writes it beside the file first: a copy that fails leaves what was there. */
export async function downloadFile(
  api: ApiClient,
  { sandbox, path }: RemotePlace,
  mode: string,
  target: string,
): Promise<void> {
  const content = await openRemote(api, { sandbox, path });
  const part = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    const bits = Number.parseInt(mode, 8) & permissionBits;
    await pipeline(content, createWriteStream(part, { flags: 'wx', mode: bits }));
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
