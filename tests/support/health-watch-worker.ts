import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { healthMs } from './health-ms.ts';

let watching = false;
let longestMs = 0;
let watched = Promise.resolve();

async function watch(): Promise<void> {
  longestMs = 0;
  while (watching) {
    longestMs = Math.max(longestMs, await healthMs(workerData.address));
    await setTimeout(20);
  }
}

parentPort?.on('message', async (message: 'begin' | 'end') => {
  watching = message === 'begin';
  if (watching) {
    watched = watch();
    return;
  }
  await watched;
  parentPort?.postMessage(longestMs);
});
