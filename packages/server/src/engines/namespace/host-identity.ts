import { SandgateError } from '@sandgate/core';
import { maxHostUids, maxSandboxUids } from './engine-options.ts';

/** The host user that a sandbox's processes run as. */
export interface HostIdentity {
  readonly uid: number;
  readonly gid: number;
  /** True: not the server's own user, so files must be handed over. */
  readonly dropped: boolean;
  release(): void;
}

/** Gives each running sandbox a host user: one of its own under root, else the server's. */
export class HostIdentities {
  readonly #firstUid: number;
  readonly #taken = new Set<number>();
  readonly #serverUid = process.getuid?.() ?? 0;
  readonly #serverGid = process.getgid?.() ?? 0;

  constructor(firstUid: number) {
    this.#firstUid = firstUid;
  }

  get drops(): boolean {
    return this.#serverUid === 0;
  }

  /** `wanted`: that of the volume which the sandbox has. */
  acquire(wanted?: number): HostIdentity {
    if (!this.drops) {
      return { uid: this.#serverUid, gid: this.#serverGid, dropped: false, release: () => {} };
    }
    const uid = wanted ?? this.#firstFree(this.#firstUid, maxSandboxUids, this.#taken);
    if (uid === null || this.#taken.has(uid)) {
      throw new SandgateError('engine_failed', 'No host user is free for another sandbox.');
    }
    this.#taken.add(uid);
    return { uid, gid: uid, dropped: true, release: () => void this.#taken.delete(uid) };
  }

  /** One for the files of a new volume, which no sandbox gets without that volume. */
  forVolume(taken: ReadonlySet<number>): number {
    const count = maxHostUids - maxSandboxUids;
    const uid = this.#firstFree(this.#firstUid + maxSandboxUids, count, taken);
    if (uid !== null) return uid;
    throw new SandgateError('engine_failed', 'No host user is free for another volume.');
  }

  #firstFree(first: number, count: number, taken: ReadonlySet<number>): number | null {
    for (let uid = first; uid < first + count; uid += 1) if (!taken.has(uid)) return uid;
    return null;
  }
}
