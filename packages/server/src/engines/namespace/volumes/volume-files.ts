import { readdirSync } from 'node:fs';
import { rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandgateError } from '@sandgate/core';

const mebibyte = 1_048_576;

/** A stored volume. Its name on the disk says it all, so that nothing can contradict the files. */
export type StoredVolume =
  /** An image, whose files belong to host user `uid` unless another was given them for a time. */
  | { readonly id: string; readonly kind: 'disk'; readonly uid: number; readonly path: string }
  /** An archive that is unpacked into memory. */
  | { readonly id: string; readonly kind: 'memory'; readonly sizeMib: number };

/** The volumes of a state directory. */
export class VolumeFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  list(): StoredVolume[] {
    return readdirSync(this.directory).flatMap((name): StoredVolume[] => {
      const disk = /^([0-9a-f]{24})\.(\d+)\.ext4$/.exec(name);
      const memory = /^([0-9a-f]{24})\.(\d+)\.memory$/.exec(name);
      const [, id = '', number] = disk ?? memory ?? [];
      if (disk !== null) {
        const path = join(this.directory, name);
        return [{ id, kind: 'disk', uid: Number(number), path }];
      }
      return memory === null ? [] : [{ id, kind: 'memory', sizeMib: Number(number) }];
    });
  }

  find(id: string): StoredVolume | undefined {
    return this.list().find((volume) => volume.id === id);
  }

  /** @throws SandgateError `volume_not_found` */
  require(id: string): StoredVolume {
    const volume = this.find(id);
    if (volume !== undefined) return volume;
    throw new SandgateError('volume_not_found', 'The volume is not there any more.');
  }

  imagePath(id: string, uid: number): string {
    return join(this.directory, `${id}.${uid}.ext4`);
  }

  async markMemory(id: string, sizeMib: number): Promise<void> {
    await writeFile(this.#marker(id, sizeMib), '', { mode: 0o600, flag: 'wx' });
  }

  async remove(volume: StoredVolume): Promise<void> {
    const { id } = volume;
    if (volume.kind === 'disk') await rm(volume.path, { force: true });
    else {
      // The marker goes last: while it is there, the removal can be done again.
      await rm(join(this.directory, `${id}.tar`), { force: true });
      await rm(this.#marker(id, volume.sizeMib), { force: true });
    }
  }

  async sizes(
    volume: StoredVolume,
  ): Promise<{ readonly sizeMib: number; readonly usedBytes: number | null }> {
    if (volume.kind === 'disk') {
      const { size, blocks } = await stat(volume.path);
      return { sizeMib: size / mebibyte, usedBytes: blocks * 512 };
    }
    const archive = await stat(join(this.directory, `${volume.id}.tar`)).catch(() => null);
    return { sizeMib: volume.sizeMib, usedBytes: archive?.size ?? 0 };
  }

  /**
   * Images take room as they are filled, so what all of them may still take is counted as taken.
   * @throws SandgateError `disk_full`
   */
  async requireRoom(sizeMib: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.directory);
    let promisedBytes = sizeMib * mebibyte;
    for (const volume of this.list()) {
      const sizes = await this.sizes(volume);
      promisedBytes += Math.max(0, sizes.sizeMib * mebibyte - (sizes.usedBytes ?? 0));
    }
    if (promisedBytes <= bavail * bsize) return;
    throw new SandgateError(
      'disk_full',
      "The server's disk has no room for a volume of that size; remove volumes, or make it smaller.",
    );
  }

  /** Removes what a server left that was killed while it made or saved a volume. */
  async removePartial(isUsed: (id: string) => boolean): Promise<void> {
    for (const name of readdirSync(this.directory)) {
      const id = /^([0-9a-f]{24})\..*\.partial$/.exec(name)?.[1];
      if (id !== undefined && !isUsed(id)) await rm(join(this.directory, name), { force: true });
    }
  }

  #marker(id: string, sizeMib: number): string {
    return join(this.directory, `${id}.${sizeMib}.memory`);
  }
}
