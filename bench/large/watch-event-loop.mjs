/** Preloaded into a server: writes down once a second how long its event loop stood still at most. */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const resolution = 5;
const file = process.env.SANDGATE_BENCH_STALLS;
if (file !== undefined && isMainThread) {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  const timer = setInterval(() => {
    appendFileSync(file, `${Math.max(0, delays.max / 1e6 - resolution)}\n`);
    delays.reset();
  }, 1_000);
  timer.unref();
}
