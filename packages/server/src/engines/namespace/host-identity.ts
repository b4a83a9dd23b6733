import { SandgateError } from '@sandgate/core';
import { maxHostUids } from './engine-options.ts';

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

  acquire(): HostIdentity {
    if (!this.drops) {
      return { uid: this.#serverUid, gid: this.#serverGid, dropped: false, release: () => {} };
    }
    let slot = 0;
    while (this.#taken.has(slot)) slot += 1;
    if (slot >= maxHostUids) {
      throw new SandgateError('engine_failed', 'No host user is free for another sandbox.');
    }
    this.#taken.add(slot);
    const id = this.#firstUid + slot;
    return { uid: id, gid: id, dropped: true, release: () => void this.#taken.delete(slot) };
  }
}
