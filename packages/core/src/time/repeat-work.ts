import type { Timers } from '../port/timers.ts';

export interface RepeatedWork<Result> {
  /** Runs it now, or joins the run that is under way. */
  run(): Promise<Result>;
  /** Runs it every so often until `close`, `firstAfterMs` from now for the first time. */
  start(firstAfterMs?: number): void;
  readonly isClosed: boolean;
  /** Resolves when no run is under way. */
  close(): Promise<void>;
}

/** Work in the background, one run at a time, with a pause after each. One that fails is told of. */
export function repeatWork<Result>({
  timers,
  everyMs,
  work,
  onError,
}: {
  readonly timers: Timers;
  readonly everyMs: number;
  readonly work: () => Promise<Result>;
  readonly onError: (error: unknown) => void;
}): RepeatedWork<Result> {
  let cancel: () => void = () => undefined;
  let running: Promise<Result> | null = null;
  let closed = false;

  const run = (): Promise<Result> => {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  };

  const schedule = (delayMs: number): void => {
    if (closed) return;
    cancel = timers.after(delayMs, () => {
      run()
        .catch(onError)
        .finally(() => schedule(everyMs));
    });
  };

  return {
    run,
    start: (firstAfterMs = everyMs) => schedule(firstAfterMs),
    get isClosed() {
      return closed;
    },
    async close() {
      closed = true;
      cancel();
      await running?.catch(() => undefined);
    },
  };
}
