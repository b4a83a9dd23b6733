import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Changed rows between two checkpoints. Each is about one page of the write-ahead log: enough of them
 * that a page which changes often is copied once for many changes.
 */
const changesBetween = 4_000;

/**
 * Copies the write-ahead log into the database, in a thread of its own: that waits for the disk,
 * often for longer than a request may. The thread starts with the first log that is worth it, so
 * that short commands never pay for one.
 */
export class Checkpointer {
  readonly #file: string;
  #worker: Worker | null = null;
  #changes = 0;
  #working = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** Call it after each commit. */
  committed(changes: number): void {
    this.#changes += changes;
    if (this.#changes < changesBetween || this.#working) return;
    this.#changes = 0;
    this.#working = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage('checkpoint');
  }

  /** Resolves when the thread has ended, and with it its connection. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage('close');
    await ended;
  }

  #start(): Worker {
    // The same name with the extension of this file: sources run as they are, and compiled.
    const path = new URL(`./checkpoint-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(path, { workerData: this.#file });
    worker.unref();
    worker.on('message', () => {
      this.#working = false;
    });
    // The connection then checkpoints by itself when the log is large, and a new thread is tried.
    worker.on('error', () => {
      this.#worker = null;
      this.#working = false;
    });
    return worker;
  }
}
