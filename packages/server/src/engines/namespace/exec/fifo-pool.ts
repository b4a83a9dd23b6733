import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, lchownSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HostIdentity } from '../host-identity.ts';

const run = promisify(execFile);
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
  #refill: Promise<void> | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Resolves when at least `count` can be taken. */
  async reserve(count: number): Promise<void> {
    while (this.#free.length < count) {
      this.#refill ??= this.#makeBatch();
      await this.#refill;
    }
  }

  /** Moves a FIFO to `path` and hands it to the sandbox's user. `reserve` must have resolved. */
  take(path: string, owner: HostIdentity): void {
    const fifo = this.#free.pop();
    if (fifo === undefined) throw new Error('no FIFO was reserved');
    renameSync(fifo, path);
    if (owner.dropped) lchownSync(path, owner.uid, owner.gid);
    if (this.#free.length < lowWater) {
      this.#refill ??= this.#makeBatch();
      // A failure shows at the next `reserve`, which tries again.
      this.#refill.catch(() => {});
    }
  }

  async #makeBatch(): Promise<void> {
    try {
      const paths = Array.from({ length: batchSize }, () =>
        join(this.#directory, `${process.pid}-${this.#made++}`),
      );
      await run('mkfifo', ['-m', '600', ...paths]);
      this.#free.push(...paths);
    } finally {
      this.#refill = null;
    }
  }
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
  if (!fstatSync(fd).isFIFO()) {
    closeSync(fd);
    throw new Error(`${path} is not a FIFO`);
  }
  return fd;
}
