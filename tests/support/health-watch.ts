import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * Asks a server for its health from a thread of its own: what the test does at the same time, as sending
 * hundreds of calls, does not count as the server's time.
 */
export interface HealthWatch {
  /** Asks over and over from now on. */
  begin(): void;
  /** The longest time of an answer since `begin`, in milliseconds. */
  end(): Promise<number>;
  close(): Promise<unknown>;
}

export async function startHealthWatch(address: string): Promise<HealthWatch> {
  const worker = new Worker(new URL('./health-watch-worker.ts', import.meta.url), {
    workerData: { address },
  });
  await once(worker, 'online');
  return {
    begin: () => worker.postMessage('begin'),
    async end() {
      worker.postMessage('end');
      const [longestMs] = await once(worker, 'message');
      return longestMs;
    },
    close: () => worker.terminate(),
  };
}
