import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Changed rows between two checkpoints. Each is about one page of the write-ahead log: enough of them
 * that a page which changes often is copied once for many changes.
 */
const changesBetween = 4_000;

/** Pages of 4 KiB from which the log is begun anew. */
export interface LogSize {
  /** At a moment when the disk is quick. */
  readonly largePages: number;
  /** Whatever it takes: a long log costs disk space, and a second at the start after a crash. */
  readonly hugePages: number;
}

const usualSize: LogSize = { largePages: 65_536, hugePages: 262_144 };

/** What the thread is told to do. It answers with what it wants to do next, or that it is done. */
export type CheckpointWork = 'checkpoint' | 'restart' | 'close';

/** A disk that takes longer than this is left to the writers, who give up by themselves. */
const longestHoldMs = 2_000;

interface Hold {
  readonly over: Promise<void>;
  readonly end: () => void;
}

/**
 * Copies the write-ahead log into the database, in a thread of its own: that waits for the disk,
 * often for longer than a request may. The thread starts with the first log that is worth it, so
 * that short commands never pay for one.
 *
 * To begin the log anew it has to keep writers out while it waits for the disk, and a writer that is
 * kept out holds up its whole process. So it is done while whoever writes often is waiting by
 * itself, for `held`, and everything else goes on.
 */
export class Checkpointer {
  readonly #file: string;
  readonly #size: LogSize;
  #worker: Worker | null = null;
  #changes = 0;
  #working = false;
  #hold: Hold | null = null;

  constructor(file: string, size: LogSize = usualSize) {
    this.#file = file;
    this.#size = size;
  }

  /** Resolves when there is no need to wait with a write any more; null when there is none now. */
  get held(): Promise<void> | null {
    return this.#hold?.over ?? null;
  }

  /** Call it after each commit. */
  committed(changes: number): void {
    this.#changes += changes;
    if (this.#changes < changesBetween || this.#working) return;
    this.#changes = 0;
    this.#working = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage('checkpoint' satisfies CheckpointWork);
  }

  /** Resolves when the thread has ended, and with it its connection. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage('close' satisfies CheckpointWork);
    await ended;
    this.#done();
  }

  #start(): Worker {
    // The same name with the extension of this file: sources run as they are, and compiled.
    const path = new URL(`./checkpoint-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(path, { workerData: { file: this.#file, size: this.#size } });
    worker.unref();
    worker.on('message', (answer) => {
      if (answer === 'restart' && worker === this.#worker) this.#restart(worker);
      else this.#done();
    });
    // The connection then checkpoints by itself when the log is large, and a new thread is tried.
    worker.on('error', () => {
      this.#worker = null;
      this.#done();
    });
    return worker;
  }

  #restart(worker: Worker): void {
    this.#hold = newHold(() => this.#endHold());
    worker.postMessage('restart' satisfies CheckpointWork);
  }

  #done(): void {
    this.#working = false;
    this.#endHold();
  }

  #endHold(): void {
    const hold = this.#hold;
    this.#hold = null;
    hold?.end();
  }
}

/** `giveUp` is called when it has taken too long. */
function newHold(giveUp: () => void): Hold {
  let resolveOver: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    resolveOver = resolve;
  });
  const timer = setTimeout(giveUp, longestHoldMs);
  timer.unref();
  return {
    over,
    end() {
      clearTimeout(timer);
      resolveOver();
    },
  };
}
