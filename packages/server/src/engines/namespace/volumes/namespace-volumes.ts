import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type EngineVolumes, SandgateError, type VolumeMount } from '@sandgate/core';
import type { HostIdentities } from '../host-identity.ts';
import type { ArchivePrograms } from '../layer-archive.ts';
import type { RuntimeDirectory } from '../runtime-directory.ts';
import type { UnfinishedWork } from '../unfinished-work.ts';
import { type AttachedVolume, AttachedVolumes } from './attached-volumes.ts';
import { handOverDisk, makeDisk, mountDisk, unmountDisk } from './loop-disk.ts';
import { type StoredVolume, VolumeFiles } from './volume-files.ts';

/** How volumes are made here, and if not as disks, why not. */
export type VolumeKind =
  | { readonly kind: 'disk' }
  | { readonly kind: 'memory'; readonly reason: string }
  | { readonly kind: 'none'; readonly reason: string };

/** What of the engine volumes need. */
export interface VolumeHost {
  readonly identities: HostIdentities;
  readonly tools: { readonly archive: ArchivePrograms | null };
  readonly unfinished: UnfinishedWork;
  readonly volumeKind: VolumeKind;
}

const probeMib = 4;

/**
 * Disks of sandboxes. Each has a host user of its own, which the sandbox that it is attached to runs
 * as: whatever sandbox writes to it, its files need no other owner.
 */
export class NamespaceVolumes implements EngineVolumes {
  readonly #files: VolumeFiles;
  readonly #attachedDirectory: string;
  readonly #host: () => Promise<VolumeHost>;
  readonly #used = new Set<string>();
  readonly #making = new Map<string, { readonly uid: number | null; readonly sizeMib: number }>();

  /** `host` is what the engine has found out about the machine. */
  constructor(runtime: RuntimeDirectory, host: () => Promise<VolumeHost>) {
    this.#files = new VolumeFiles(runtime.volumes);
    this.#attachedDirectory = runtime.attached;
    this.#host = host;
  }

  async create(id: string, { sizeMib }: { readonly sizeMib: number }): Promise<void> {
    if (!/^[0-9a-f]{24}$/.test(id) || !Number.isInteger(sizeMib) || sizeMib < 1) {
      throw new SandgateError(
        'invalid_request',
        'A volume has an id of 24 hexadecimal digits and a size in whole MiB.',
      );
    }
    const { volumeKind, identities } = await this.#host();
    if (volumeKind.kind === 'none') throw unsupported(volumeKind.reason);
    if (this.#making.has(id) || this.#files.find(id) !== undefined) {
      throw new SandgateError('volume_exists', 'There is a volume with that id.');
    }
    const uid = volumeKind.kind === 'disk' ? identities.forVolume(this.#takenUids()) : null;
    this.#making.set(id, { uid, sizeMib });
    try {
      const wanted = [...this.#making.values()].map((made) => made.sizeMib);
      await this.#files.requireRoom(wanted.reduce((sum, size) => sum + size, 0));
      if (uid === null) await this.#files.markMemory(id, sizeMib);
      else await makeDisk(this.#files.imagePath(id, uid), sizeMib, uid);
    } finally {
      this.#making.delete(id);
    }
  }

  async remove(id: string): Promise<void> {
    if (this.#used.has(id)) throw attachedError();
    const volume = this.#files.find(id);
    if (volume !== undefined) await this.#files.remove(volume);
  }

  async list(): Promise<
    ReadonlyMap<string, { readonly sizeMib: number; readonly usedBytes: number | null }>
  > {
    const sizes = new Map<string, { sizeMib: number; usedBytes: number | null }>();
    for (const volume of this.#files.list()) {
      const found = await this.#files.sizes(volume).catch(() => null);
      if (found !== null) sizes.set(volume.id, found);
    }
    return sizes;
  }

  /**
   * Makes volumes ready for a sandbox that is about to start.
   * @throws SandgateError `volume_not_found`, `volume_attached`, `volume_refused`, `engine_failed`
   */
  async attach(
    host: VolumeHost,
    mounts: readonly VolumeMount[],
    memoryMib: number,
  ): Promise<AttachedVolumes> {
    const volumes = mounts.map((mount) => ({ mount, stored: this.#files.require(mount.volumeId) }));
    requireMemory(volumes, memoryMib);
    const taken: StoredVolume[] = [];
    const detach = async (): Promise<void> => {
      for (const stored of taken.splice(0)) {
        await host.unfinished.do(async () => {
          await this.#release(stored);
          this.#used.delete(stored.id);
        });
      }
    };
    try {
      for (const { stored } of volumes) {
        if (this.#used.has(stored.id)) throw attachedError();
        this.#used.add(stored.id);
        taken.push(stored);
      }
      const uid = volumes.map(({ stored }) => (stored.kind === 'disk' ? stored.uid : null));
      const owner = uid.find((candidate) => candidate !== null) ?? null;
      const all: AttachedVolume[] = [];
      for (const { mount, stored } of volumes) all.push(await this.#prepare(mount, stored, owner));
      const { directory } = this.#files;
      return new AttachedVolumes({
        all,
        uid: owner,
        detach,
        directory,
        archive: host.tools.archive,
      });
    } catch (cause) {
      await detach();
      throw cause;
    }
  }

  /** Unmounts what a server left that was killed, and removes what it had half made. */
  async reconcile(): Promise<void> {
    const isUsed = (id: string): boolean => this.#used.has(id) || this.#making.has(id);
    for (const id of readdirSync(this.#attachedDirectory).filter((name) => !isUsed(name))) {
      const stored = this.#files.find(id);
      await this.#unmount(id, stored?.kind === 'disk' ? stored.path : null);
    }
    await this.#files.removePartial(isUsed);
  }

  async #prepare(
    { guestPath, readOnly }: VolumeMount,
    stored: StoredVolume,
    owner: number | null,
  ): Promise<AttachedVolume> {
    if (stored.kind === 'memory') {
      const { id, sizeMib } = stored;
      const bytes = sizeMib * 1_048_576;
      const step = { kind: 'tmpfs', path: guestPath, bytes, mode: 0o755 } as const;
      return { guestPath, step, sizeMib, archived: { id, readOnly } };
    }
    const source = this.#mountPoint(stored.id);
    const uid = owner ?? stored.uid;
    await this.#unmount(stored.id, stored.path);
    // Other users of the host are to come no further than here.
    mkdirSync(dirname(source));
    chmodSync(dirname(source), 0o750);
    chownSync(dirname(source), 0, uid);
    mkdirSync(source);
    await mountDisk(stored.path, source);
    await handOverDisk(source, uid);
    const { sizeMib } = await this.#files.sizes(stored);
    const step = { kind: 'bind', source, path: guestPath, readOnly } as const;
    return { guestPath, step, sizeMib, archived: null };
  }

  async #release(stored: StoredVolume): Promise<void> {
    if (stored.kind === 'disk') await this.#unmount(stored.id, stored.path);
  }

  /** Idempotent. */
  async #unmount(id: string, image: string | null): Promise<void> {
    const source = this.#mountPoint(id);
    await unmountDisk(image, source);
    for (const directory of [source, dirname(source)]) {
      if (existsSync(directory)) rmdirSync(directory);
    }
  }

  #mountPoint(id: string): string {
    return join(this.#attachedDirectory, id, 'disk');
  }

  #takenUids(): Set<number> {
    const stored = this.#files
      .list()
      .flatMap((volume) => (volume.kind === 'disk' ? volume.uid : []));
    const making = [...this.#making.values()].flatMap(({ uid }) => uid ?? []);
    return new Set([...stored, ...making]);
  }
}

/** Finds out how volumes can be made by really making and mounting one. Never throws. */
export async function probeVolumes(
  runtime: RuntimeDirectory,
  archive: ArchivePrograms | null,
): Promise<VolumeKind> {
  const reason = await tryDisk(runtime);
  if (reason === null) return { kind: 'disk' };
  return { kind: archive === null ? 'none' : 'memory', reason };
}

/** Null when it works, else why not. */
async function tryDisk(runtime: RuntimeDirectory): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'the server is not root';
  const name = `probe-${randomBytes(6).toString('hex')}`;
  const image = join(runtime.volumes, name);
  const directory = join(runtime.root, name);
  try {
    mkdirSync(directory);
    try {
      await makeDisk(image, probeMib, 0);
      await mountDisk(image, directory);
    } finally {
      await unmountDisk(image, directory);
      rmdirSync(directory);
      await rm(image, { force: true });
    }
    return null;
  } catch (cause) {
    if (cause instanceof SandgateError) return cause.detail ?? cause.message;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function requireMemory(
  volumes: readonly { readonly stored: StoredVolume }[],
  memoryMib: number,
): void {
  const neededMib = volumes
    .map(({ stored }) => (stored.kind === 'memory' ? stored.sizeMib : 0))
    .reduce((sum, sizeMib) => sum + sizeMib, 0);
  if (neededMib <= memoryMib / 2) return;
  throw new SandgateError(
    'volume_refused',
    `Volumes are kept in memory on this server, and may take half of their sandbox's: give it at least ${neededMib * 2} MiB of memory.`,
  );
}

const attachedError = (): SandgateError =>
  new SandgateError('volume_attached', 'The volume is attached to a sandbox that runs.');

const unsupported = (reason: string): SandgateError =>
  new SandgateError('capability_missing', `This server cannot keep volumes: ${reason}.`);
