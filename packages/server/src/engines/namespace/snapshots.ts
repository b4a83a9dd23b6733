import { type EngineSnapshots, SandgateError } from '@sandgate/core';
import { type ArchivePrograms, LayerArchive } from './layer-archive.ts';

/** Stored copies of writable layers, each under an id of its own. */
export class Snapshots implements EngineSnapshots {
  readonly #directory: string;
  readonly #making = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The archive out of which a new sandbox gets its files.
   * @throws SandgateError `snapshot_not_found`, `capability_missing`
   */
  require(id: string, programs: ArchivePrograms | null): LayerArchive {
    const archive = this.#archive(programs);
    if (archive.has(id)) return archive;
    throw new SandgateError('snapshot_not_found', 'The snapshot is not there any more.');
  }

  /**
   * Makes one by `save`, which is handed the archive to save to.
   * @throws SandgateError `snapshot_exists`, `capability_missing`, and what `save` throws
   */
  async make<T>(
    id: string,
    programs: ArchivePrograms | null,
    save: (archive: LayerArchive) => Promise<T>,
  ): Promise<T> {
    const archive = this.#archive(programs);
    if (archive.has(id) || this.#making.has(id)) {
      throw new SandgateError('snapshot_exists', 'There is a snapshot with that id.');
    }
    this.#making.add(id);
    try {
      return await save(archive);
    } finally {
      this.#making.delete(id);
    }
  }

  #archive(programs: ArchivePrograms | null): LayerArchive {
    if (programs !== null) return new LayerArchive(this.#directory, programs);
    throw new SandgateError('capability_missing', 'Snapshots need GNU tar on the host.');
  }

  async remove(id: string): Promise<void> {
    await new LayerArchive(this.#directory, null).remove(id);
  }

  async sizes(): Promise<ReadonlyMap<string, number>> {
    return await new LayerArchive(this.#directory, null).sizes();
  }

  /** Removes what a server left that was killed while it made one. */
  async removePartial(): Promise<void> {
    await new LayerArchive(this.#directory, null).removePartial((id) => this.#making.has(id));
  }
}
