import { parentPort, workerData } from 'node:worker_threads';
import { loadSqlite } from './load-sqlite.ts';

/**
 * Pages of 4 KiB from which the log is begun anew: at a moment when the disk is quick, or, from the
 * second on, whatever it takes. A long log costs disk space and a second at the start after a crash;
 * beginning it anew makes writers wait for the disk, on a busy one for a tenth of a second.
 */
const largeLog = 65_536;
const hugeLog = 262_144;
/** A checkpoint that took less shows that the disk is quick, and that little was left to do. */
const shortMs = 5;
const mostRounds = 8;

const { DatabaseSync } = loadSqlite();
const database = new DatabaseSync(String(workerData), { timeout: 50 });
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
function run(): void {
  for (let round = 0; round < mostRounds; round += 1) {
    const { pages, tookMs } = checkpoint('passive');
    if (pages < largeLog) return;
    if (tookMs > shortMs && pages < hugeLog) continue;
    checkpoint('restart');
    return;
  }
}

parentPort?.on('message', (order) => {
  if (order === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  try {
    run();
  } catch {
    // Another process holds a lock that this needs: the next order tries again.
  }
  parentPort?.postMessage('done');
});
