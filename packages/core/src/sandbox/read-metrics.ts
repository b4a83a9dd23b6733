import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineSandbox, SandboxMetrics } from '../port/engine.ts';
import type { Timers } from '../port/timers.ts';

/** What is known of a sandbox that was running when it was asked. */
export interface MetricsReading {
  readonly running: boolean;
  /** Null when it does not run any more, or does not answer in time. */
  readonly metrics: SandboxMetrics | null;
}

/** Whoever asks about many sandboxes must not wait for one whose code has stopped its agent. */
const patienceMs = 1_000;

/** Reads metrics, at most once at a time from each sandbox. */
export function createMetricsReader(
  timers: Timers,
): (live: EngineSandbox) => Promise<MetricsReading> {
  const pending = new Map<EngineSandbox, Promise<MetricsReading>>();

  const ask = (live: EngineSandbox): Promise<MetricsReading> => {
    const reading = live
      .metrics()
      .then(
        (metrics) => ({ running: true, metrics }),
        (error: unknown) => ({ running: !isEnd(error), metrics: null }),
      )
      .finally(() => pending.delete(live));
    pending.set(live, reading);
    return reading;
  };

  return (live) =>
    new Promise((resolve) => {
      const cancel = timers.after(patienceMs, () => resolve({ running: true, metrics: null }));
      (pending.get(live) ?? ask(live)).then((reading) => {
        cancel();
        resolve(reading);
      });
    });
}

/** Asks the sandbox itself: its record lags behind for as long as it takes to hear of its end. */
export async function isAlive(live: EngineSandbox): Promise<boolean> {
  return await Promise.race([
    live.exited.then(() => false),
    live.metrics().then(
      () => true,
      (error: unknown) => !isEnd(error),
    ),
  ]);
}

/** One that is too busy to answer, or has no process to spare for it, runs all the same. */
const isEnd = (error: unknown): boolean =>
  error instanceof SandgateError && error.code === 'sandbox_ended';
