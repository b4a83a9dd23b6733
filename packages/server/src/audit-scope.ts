import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditContext, Timers } from '@sandgate/core';

/** Who the work that is going on is done for, so that what it changes is recorded under them. */
export interface AuditScope {
  /** Everything that `work` calls and waits for finds `context` in `current`. */
  run<Result>(context: AuditContext, work: () => Result): Result;
  /** The server itself, outside of every `run`. */
  current(): AuditContext;
}

export function createAuditScope(): AuditScope {
  const storage = new AsyncLocalStorage<AuditContext>();
  return {
    run: (context, work) => storage.run(context, work),
    current: () => storage.getStore() ?? { actor: { kind: 'server' } },
  };
}

/** What a timer does later is done by the server, whoever's call set the timer. */
export const serverTimers = (timers: Timers, scope: Pick<AuditScope, 'run'>): Timers => ({
  after: (delayMs, run) =>
    timers.after(delayMs, () => scope.run({ actor: { kind: 'server' } }, run)),
});
