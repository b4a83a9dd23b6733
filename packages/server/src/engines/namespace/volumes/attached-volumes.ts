import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';
import type { MountStep } from '../launcher/launcher.ts';
import { type ArchivePrograms, LayerArchive, type SaveListener } from '../layer-archive.ts';

type Exec = (request: ExecRequest) => Promise<ExecOutcome>;

/** A volume, as one sandbox has it. */
export interface AttachedVolume {
  readonly guestPath: string;
  readonly step: MountStep;
  readonly sizeMib: number;
  /** For one in memory: its id and whether it is saved at the end. */
  readonly archived: { readonly id: string; readonly readOnly: boolean } | null;
}

/** The volumes of one sandbox, from before its start until after its end. */
export class AttachedVolumes {
  readonly all: readonly AttachedVolume[];
  /** The host user that the sandbox has to run as; null when it does not matter. */
  readonly uid: number | null;
  /** To be called once, after the last process of the sandbox. Never rejects. */
  readonly detach: () => Promise<void>;
  readonly #archive: LayerArchive | null;

  constructor(parts: {
    readonly all: readonly AttachedVolume[];
    readonly uid: number | null;
    readonly detach: () => Promise<void>;
    readonly directory: string;
    readonly archive: ArchivePrograms | null;
  }) {
    this.all = parts.all;
    this.uid = parts.uid;
    this.detach = parts.detach;
    this.#archive =
      parts.archive === null ? null : new LayerArchive(parts.directory, parts.archive);
  }

  /** Something has to be saved before the sandbox ends. */
  get inMemory(): boolean {
    return this.all.some(({ archived }) => archived !== null && !archived.readOnly);
  }

  /** The largest file that fits one of them. */
  get largestMib(): number {
    return Math.max(0, ...this.all.map(({ sizeMib }) => sizeMib));
  }

  /** Unpacks those that are in memory, before any program of the user runs. */
  async restore(exec: Exec): Promise<void> {
    for (const { archived, guestPath } of this.all) {
      if (archived === null) continue;
      if (this.#archive?.has(archived.id) === true) {
        await this.#archive.restore(archived.id, exec, guestPath);
      }
      if (archived.readOnly) await forbidWriting(exec, guestPath);
    }
  }

  /** Stores those that are in memory, with the agent alone running. */
  async save(exec: Exec, onLeftOut: SaveListener['onLeftOut']): Promise<void> {
    for (const { archived, guestPath, sizeMib } of this.all) {
      if (archived === null || archived.readOnly) continue;
      const maxBytes = sizeMib * 1_048_576;
      await this.#archive?.save(archived.id, maxBytes, [], exec, { root: guestPath, onLeftOut });
    }
  }
}

/** By the permissions of its files: nothing inside can mount it anew, and it is not saved anyway. */
async function forbidWriting(exec: Exec, guestPath: string): Promise<void> {
  const outcome = await exec({
    argv: ['/bin/chmod', '-R', 'a-w', '--', guestPath],
    cwd: '/',
    onOutput: () => {},
  });
  if (outcome.kind === 'exited' && outcome.exitCode === 0) return;
  throw new SandgateError('engine_failed', 'A read-only volume could not be attached.');
}
