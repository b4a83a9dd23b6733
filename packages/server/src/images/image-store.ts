import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Clock, type PulledImage, SandgateError } from '@sandgate/core';
import { invalidImage, noRoom } from '../registry/registry-failure.ts';
import { buildRoot } from './build-root.ts';
import { type ImageDirectories, makeImageDirectories } from './image-directories.ts';
import {
  type ImageRecord,
  listRecords,
  readMeaning,
  readRecord,
  recordPath,
  touchRecord,
  writeMeaning,
  writeRecord,
} from './image-record.ts';
import type { LayerEntry } from './layer-entry.ts';
import { mergeLayers } from './merge-layers.ts';
import { layerFiles, layerIndex, type UnpackedLayer } from './unpack-layer.ts';

/** An image that sandboxes run from, and that stays until it is released. */
export interface OpenedImage {
  /** Its root directory on the host, for reading. */
  readonly directory: string;
  readonly image: PulledImage;
  release(): void;
}

export interface ImageStoreOptions {
  /** Absolute. Made at the first use. */
  readonly directory: string;
  /** Of all images together; those unused for longest go first. One that is needed stays. */
  readonly maxBytes: number;
  /** Of the disk, for everything else that is on it. Default: 1 GiB. */
  readonly reservedBytes?: number;
  readonly clock: Clock;
}

const defaultReservedBytes = 1_073_741_824;

const layerFacts = 'layer.json';

/**
 * Images by reference and digest, and their layers by registry and digest: a layer is shared by all images of
 * one registry, which has let each of their users have it, and by none of another one.
 */
export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #held = new Map<string, number>();
  /** Layers that an image is being made of. */
  readonly #claimed = new Map<string, number>();
  #opened: Promise<ImageDirectories> | null = null;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
  }

  async find(image: string): Promise<PulledImage | null> {
    const { records } = await this.#open();
    return (await readRecord(records, image))?.image ?? null;
  }

  async list(): Promise<readonly PulledImage[]> {
    const { records } = await this.#open();
    return (await listRecords(records)).map(({ image }) => image);
  }

  /** Null: it is not here. */
  async hold(image: string): Promise<OpenedImage | null> {
    // Before the look: what is found then is not removed any more.
    count(this.#held, image, 1);
    let held = true;
    const release = (): void => {
      if (held) count(this.#held, image, -1);
      held = false;
    };
    try {
      const { records, roots } = await this.#open();
      const record = await this.#inTurn(() => readRecord(records, image));
      if (record === null) {
        release();
        return null;
      }
      await touchRecord(records, image, this.#options.clock.nowMs());
      return { directory: join(roots, record.rootName), image: record.image, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** What a reference meant the last time. Null: it is not known, or not here any more. */
  async holdLast(reference: string): Promise<OpenedImage | null> {
    const { records } = await this.#open();
    const image = await readMeaning(records, reference);
    return image === null ? null : await this.hold(image);
  }

  /** For `holdLast`. */
  async remember(reference: string, image: string): Promise<void> {
    const { records } = await this.#open();
    await writeMeaning(records, reference, image);
  }

  /** Keeps layers from being removed while an image is made of them. */
  claimLayers(names: readonly string[]): () => void {
    for (const name of names) count(this.#claimed, name, 1);
    return () => {
      for (const name of names) count(this.#claimed, name, -1);
    };
  }

  async layer(name: string): Promise<UnpackedLayer | null> {
    const { layers } = await this.#open();
    try {
      return JSON.parse(await readFile(join(layers, name, layerFacts), 'utf8')) as UnpackedLayer;
    } catch {
      return null;
    }
  }

  /** Lets a layer be made in a directory, which then is the layer's, or gone. */
  async addLayer(
    name: string,
    make: (directory: string, roomBytes: number) => Promise<UnpackedLayer>,
  ): Promise<UnpackedLayer> {
    const { layers } = await this.#open();
    return await this.withPartial(async (directory) => {
      const made = join(directory, 'layer');
      await mkdir(made, { mode: 0o700 });
      const layer = await make(made, await this.#roomBytes());
      await writeFile(join(made, layerFacts), JSON.stringify(layer), { mode: 0o600 });
      await rename(made, join(layers, name)).catch(async (error: NodeJS.ErrnoException) => {
        // Somebody else was first.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
      return layer;
    });
  }

  /** @throws SandgateError `disk_full` */
  async requireRoom(bytes: number): Promise<void> {
    if ((await this.#roomBytes()) < bytes) throw noRoom();
  }

  async #roomBytes(): Promise<number> {
    await this.#open();
    const { directory, reservedBytes = defaultReservedBytes } = this.#options;
    const { bavail, bsize } = await statfs(directory);
    return Math.max(0, bavail * bsize - reservedBytes);
  }

  /** A directory for what is not complete, and that is gone afterwards. */
  async withPartial<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
    const { partial } = await this.#open();
    const directory = join(partial, randomBytes(8).toString('hex'));
    try {
      await mkdir(directory, { mode: 0o700 });
      return await work(directory);
    } catch (error) {
      throw explain(error);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Makes the root of an image out of layers that are here. */
  async addImage(
    image: PulledImage,
    layerNames: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { layers, roots, records, partial } = await this.#open();
    const tree = await mergeLayers(
      layerNames.map((name) => ({
        entries: () => readEntries(join(layers, name, layerIndex)),
        fileOf: (number) => join(layers, name, layerFiles, String(number)),
      })),
    );
    const rootName = randomBytes(16).toString('hex');
    await this.withPartial(async (directory) => {
      await buildRoot(tree, join(directory, 'root'), signal);
      await this.#inTurn(async () => {
        await rename(join(directory, 'root'), join(roots, rootName));
        await writeRecord(records, partial, { image, layerNames, rootName });
      });
    });
    await touchRecord(records, image.image, this.#options.clock.nowMs());
    await this.#makeRoom(image.image);
  }

  async removeOthers(kept: ReadonlySet<string>): Promise<{ readonly freedBytes: number }> {
    return await this.#inTurn(async () => {
      const { records } = await this.#open();
      const all = await listRecords(records);
      return await this.#remove(all.filter(({ image }) => !kept.has(image.image)));
    });
  }

  async #makeRoom(needed: string): Promise<void> {
    await this.#inTurn(async () => {
      const { records } = await this.#open();
      const unused = (await listRecords(records)).filter(({ image }) => image.image !== needed);
      while (unused.length > 0 && (await this.#storedBytes()) > this.#options.maxBytes) {
        await this.#remove(unused.splice(0, 1));
      }
    });
  }

  /** Each layer once, however many images share it. */
  async #storedBytes(): Promise<number> {
    const { layers } = await this.#open();
    const sizes = (await readdir(layers)).map(
      async (name) => (await this.layer(name))?.sizeBytes ?? 0,
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  /** In its turn: removes images that are not in use, and then layers that no image has. */
  async #remove(images: readonly ImageRecord[]): Promise<{ readonly freedBytes: number }> {
    const { records, roots, layers } = await this.#open();
    for (const { image, rootName } of images) {
      if ((this.#held.get(image.image) ?? 0) > 0) continue;
      // The record first: without it, nobody finds the rest, and the next server removes it.
      await rm(recordPath(records, image.image), { force: true });
      await rm(join(roots, rootName), { recursive: true, force: true });
    }
    const needed = new Set((await listRecords(records)).flatMap(({ layerNames }) => layerNames));
    let freedBytes = 0;
    for (const name of await readdir(layers)) {
      if (needed.has(name) || this.#claimed.has(name)) continue;
      freedBytes += (await this.layer(name))?.sizeBytes ?? 0;
      await this.#discard(join(layers, name));
    }
    return { freedBytes };
  }

  /** A half removed layer must not be found: it leaves its place first. */
  async #discard(path: string): Promise<void> {
    const { partial } = await this.#open();
    const aside = join(partial, randomBytes(8).toString('hex'));
    await rename(path, aside);
    await rm(aside, { recursive: true, force: true });
  }

  #open(): Promise<ImageDirectories> {
    this.#opened ??= this.#prepare();
    this.#opened.catch(() => {
      this.#opened = null;
    });
    return this.#opened;
  }

  /** Removes what an earlier server has not finished. */
  async #prepare(): Promise<ImageDirectories> {
    const { directory } = this.#options;
    let paths: ImageDirectories;
    try {
      paths = await makeImageDirectories(directory);
    } catch (cause) {
      throw new SandgateError(
        'engine_unavailable',
        'This server cannot keep images: the directory for them cannot be written.',
        { detail: `images.directory is ${directory}`, cause },
      );
    }
    const { uid } = await lstat(directory);
    if (uid !== (process.getuid?.() ?? uid)) throw new Error(`${directory} is somebody else's`);
    for (const name of await readdir(paths.partial)) {
      await rm(join(paths.partial, name), { recursive: true, force: true });
    }
    const known = await listRecords(paths.records);
    const roots = new Set(known.map(({ rootName }) => rootName));
    const needed = new Set(known.flatMap(({ layerNames }) => layerNames));
    for (const [path, kept] of [
      [paths.roots, roots],
      [paths.layers, needed],
    ] as const) {
      for (const name of await readdir(path)) {
        if (!kept.has(name)) await rm(join(path, name), { recursive: true, force: true });
      }
    }
    return paths;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastChange.then(work, work);
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }
}

/** Name of a layer in the store. */
export const layerName = (registry: string, digest: string): string =>
  `${createHash('sha256').update(registry).digest('hex').slice(0, 16)}-${digest.slice('sha256:'.length)}`;

async function* readEntries(path: string): AsyncGenerator<LayerEntry> {
  const lines = createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) if (line !== '') yield JSON.parse(line) as LayerEntry;
}

function count(counts: Map<string, number>, name: string, change: number): void {
  const next = (counts.get(name) ?? 0) + change;
  if (next > 0) counts.set(name, next);
  else counts.delete(name);
}

function explain(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return noRoom(error);
  if (code === 'ENAMETOOLONG') return invalidImage('its paths are too long', error);
  if (code === 'EMLINK') return invalidImage('it has too many names for one file', error);
  return error;
}
