import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PulledImage } from '@sandgate/core';

/** What is known of an image that is here. Its file's time is that of its last use. */
export interface ImageRecord {
  readonly image: PulledImage;
  /** Names of layers in the store, lowest first. */
  readonly layerNames: readonly string[];
  /** Name of its root directory. */
  readonly rootName: string;
}

const recordFile = (directory: string, image: string): string =>
  join(directory, `${createHash('sha256').update(image).digest('hex')}.json`);

/** Null: there is none, or none that can be read. */
export async function readRecord(directory: string, image: string): Promise<ImageRecord | null> {
  const record = await read(recordFile(directory, image));
  return record?.image.image === image ? record : null;
}

/** Longest unused first. */
export async function listRecords(directory: string): Promise<readonly ImageRecord[]> {
  const found = await Promise.all(
    (await readdir(directory))
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        const path = join(directory, name);
        const record = await read(path);
        const usedMs = (await stat(path).catch(() => null))?.mtimeMs;
        return record === null || usedMs === undefined ? [] : [{ record, usedMs }];
      }),
  );
  return found
    .flat()
    .toSorted((one, other) => one.usedMs - other.usedMs)
    .map(({ record }) => record);
}

/** The whole file at once, so that a crash leaves no half one. */
export async function writeRecord(
  directory: string,
  partial: string,
  record: ImageRecord,
): Promise<void> {
  const path = join(partial, `record-${randomBytes(8).toString('hex')}`);
  await writeFile(path, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  await rename(path, recordFile(directory, record.image.image));
}

export async function touchRecord(directory: string, image: string, nowMs: number): Promise<void> {
  await utimes(recordFile(directory, image), nowMs / 1_000, nowMs / 1_000).catch(() => undefined);
}

export const recordPath = recordFile;

const meaningFile = (directory: string, reference: string): string =>
  `${recordFile(directory, reference)}.last`;

/** What a reference meant when it was pulled last. Null: it is not known. */
export async function readMeaning(directory: string, reference: string): Promise<string | null> {
  return await readFile(meaningFile(directory, reference), 'utf8').catch(() => null);
}

export async function writeMeaning(
  directory: string,
  reference: string,
  image: string,
): Promise<void> {
  await writeFile(meaningFile(directory, reference), image, { mode: 0o600 });
}

async function read(path: string): Promise<ImageRecord | null> {
  try {
    const record = JSON.parse(await readFile(path, 'utf8')) as ImageRecord;
    return typeof record.rootName === 'string' ? record : null;
  } catch {
    return null;
  }
}
