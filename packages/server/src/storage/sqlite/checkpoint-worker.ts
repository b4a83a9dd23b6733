import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointWork, LogSize } from './checkpointer.ts';
import { loadSqlite } from './load-sqlite.ts';

/** A checkpoint that took less shows that the disk is quick, and that little was left to do. */
const shortMs = 5;
const mostRounds = 8;

const { file, size } = workerData as { readonly file: string; readonly size: LogSize };
const { DatabaseSync } = loadSqlite();
const database = new DatabaseSync(file, { timeout: 50 });
database.exec('pragma synchronous = normal; pragma wal_autocheckpoint = 0');

function checkpoint(mode: 'passive' | 'restart'): {
  readonly pages: number;
  readonly tookMs: number;
} {
  const startedAtMs = performance.now();
  const row = database.prepare(`pragma wal_checkpoint(${mode})`).get();
  return { pages: Number(row?.log), tookMs: performance.now() - startedAtMs };
}

/**
 * Nobody waits for a passive checkpoint. But under steady writes it never reaches the end of the
 * log, which then grows for ever; so it is repeated until what is left is so little that writers
 * can be held off for the rest.
 */
function mayEndLog(): boolean {
  for (let round = 0; round < mostRounds; round += 1) {
    const { pages, tookMs } = checkpoint('passive');
    if (pages < size.largePages) return false;
    if (tookMs <= shortMs || pages >= size.hugePages) return true;
  }
  return false;
}

const works: Readonly<Record<CheckpointWork, () => 'done' | 'restart' | 'closed'>> = {
  checkpoint: () => (mayEndLog() ? 'restart' : 'done'),
  restart() {
    checkpoint('restart');
    return 'done';
  },
  close() {
    database.close();
    parentPort?.close();
    return 'closed';
  },
};

parentPort?.on('message', (work: CheckpointWork) => {
  try {
    parentPort?.postMessage(works[work]());
  } catch {
    // Another process holds a lock that this needs: the next order tries again.
    parentPort?.postMessage('done');
  }
});
