import type { RunningServer } from '@sandgate/server';
import { Exit } from './exit.ts';
import { withProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/**
 * Ctrl-C reaches this process from the terminal, and again from each program in front of it that
 * passes its signals on, such as npm.
 */
const sameKeystrokeMs = 500;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What a shell says of a program that SIGINT ended: 128 + 2. */
const interrupted = 130;

/**
 * Keeps a server until it is closed: by a signal or by `msb server stop`, which let the calls in
 * progress end. A second signal does not wait. The process is to end next: signals stay listened for,
 * so that one which comes late does not make an orderly end look like a killed one.
 */
export async function keepUntilClosed(terminal: Terminal, server: RunningServer): Promise<void> {
  const ended = Promise.withResolvers<'closed' | 'forced'>();
  let firstSignalMs: number | null = null;

  const close = () => {
    const closing = server.close((message) => terminal.note(`Stopping: ${message}`));
    withProgress(terminal, 'Stopping', closing).then(() => ended.resolve('closed'), ended.reject);
  };
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstSignalMs === null) {
      firstSignalMs = nowMs;
      terminal.note('Stopping: calls in progress may end first. Press Ctrl-C to stop at once.');
      close();
    } else if (nowMs - firstSignalMs > sameKeystrokeMs) {
      ended.resolve('forced');
    }
  };
  for (const signal of signals) process.on(signal, onSignal);
  server.stopRequested.then(close);
  if ((await ended.promise) === 'forced') throw new Exit(interrupted, 'Stopped without waiting.');
  terminal.note('Stopped.');
}
