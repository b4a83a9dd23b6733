import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, lchownSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { HostIdentity } from '../host-identity.ts';

const batchSize = 64;
const lowWater = 24;

/**
 * FIFOs in stock. Node cannot make one, and a process per exec would be slow, so `mkfifo` makes a
 * batch ahead of need. Each is used once: a process left behind by one job could otherwise write
 * into the next.
 */
export class FifoPool {
  readonly #directory: string;
  readonly #free: string[] = [];
  #made = 0;
  #closed = false;
  #refill: Promise<void> | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes `count` FIFOs out of the stock. They belong to the caller. */
  async take(count: number): Promise<string[]> {
    while (this.#free.length < count) await this.#makeMore();
    const taken = this.#free.splice(-count);
    // A failure shows at the next call, which tries again.
    if (this.#free.length < lowWater) this.#makeMore().catch(() => {});
    return taken;
  }

  /** Takes back what was not used. */
  giveBack(fifos: readonly string[]): void {
    this.#free.push(...fifos);
  }

  /** Makes the first batch ahead of need. */
  prepare(): void {
    if (this.#free.length < lowWater) this.#makeMore().catch(() => {});
  }

  /** Resolves when nothing is made any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#refill?.catch(() => {});
  }

  #makeMore(): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the engine is closed'));
    this.#refill ??= this.#makeBatch();
    return this.#refill;
  }

  async #makeBatch(): Promise<void> {
    try {
      const paths = Array.from({ length: batchSize }, () =>
        join(this.#directory, `${process.pid}-${this.#made++}`),
      );
      // No streams: Node would lose them in a spawn that fails for want of descriptors.
      const child = spawn('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' });
      const [status] = await once(child, 'exit');
      if (status !== 0) throw new Error(`mkfifo ended with ${status}`);
      this.#free.push(...paths);
    } finally {
      this.#refill = null;
    }
  }
}

/** Moves a FIFO to its place, and hands it to the sandbox's user. */
export function placeFifo(fifo: string, path: string, owner: HostIdentity): void {
  renameSync(fifo, path);
  if (owner.dropped) lchownSync(path, owner.uid, owner.gid);
}

/**
 * Opens a FIFO without waiting for its other end. Before a first writer came, a read end opened like
 * this reports nothing; after the last one left, it reports the end.
 */
export function openFifo(path: string, access: 'read' | 'write' | 'hold'): number {
  const flag = { read: constants.O_RDONLY, write: constants.O_WRONLY, hold: constants.O_RDWR }[
    access
  ];
  const fd = openSync(path, flag | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if (fstatSync(fd).isFIFO()) return fd;
  closeSync(fd);
  throw new Error(`${path} is not a FIFO`);
}
