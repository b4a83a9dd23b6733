import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createAuditScope, serverTimers } from './audit-scope.ts';

it('tells each of two calls at once whom it is for, and the server outside of both', async () => {
  const scope = createAuditScope();
  const call = (keyNumber: number) =>
    scope.run({ actor: { kind: 'key', keyNumber }, requestId: `r${keyNumber}` }, async () => {
      await turn();
      return scope.current();
    });
  expect(await Promise.all([call(1), call(2)])).toEqual([
    { actor: { kind: 'key', keyNumber: 1 }, requestId: 'r1' },
    { actor: { kind: 'key', keyNumber: 2 }, requestId: 'r2' },
  ]);
  expect(scope.current()).toEqual({ actor: { kind: 'server' } });
});

it('takes what a timer does for the work of the server, whoever set the timer', async () => {
  const scope = createAuditScope();
  const timers = serverTimers(
    {
      after(delayMs, run) {
        const timer = setTimeout(run, delayMs);
        return () => clearTimeout(timer);
      },
    },
    scope,
  );
  const later = scope.run(
    { actor: { kind: 'key', keyNumber: 1 } },
    () => new Promise((resolve) => timers.after(0, () => resolve(scope.current()))),
  );
  expect(await later).toEqual({ actor: { kind: 'server' } });
});
