import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { repeatWork } from './repeat-work.ts';

/** Timers that the test lets go off, one after another. */
function manualTimers() {
  const waiting: { readonly delayMs: number; readonly run: () => void }[] = [];
  return {
    waiting,
    after(delayMs: number, run: () => void) {
      const timer = { delayMs, run };
      waiting.push(timer);
      return () => {
        const index = waiting.indexOf(timer);
        if (index !== -1) waiting.splice(index, 1);
      };
    },
    async fire() {
      waiting.shift()?.run();
      await turn();
    },
  };
}

it('runs one at a time, pauses after each, and goes on after one that failed', async () => {
  const timers = manualTimers();
  const errors: unknown[] = [];
  let runs = 0;
  let end: () => void = () => undefined;
  const work = async (): Promise<number> => {
    runs += 1;
    if (runs === 2) throw new Error('The disk is full.');
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return runs;
  };
  const onError = (error: unknown) => void errors.push(error);
  const repeated = repeatWork({ timers, everyMs: 10, work, onError });
  repeated.start(0);
  expect(timers.waiting).toMatchObject([{ delayMs: 0 }]);
  await timers.fire();
  const joined = repeated.run();
  expect([runs, timers.waiting]).toEqual([1, []]);
  end();
  expect(await joined).toBe(1);
  await turn();
  expect(timers.waiting).toMatchObject([{ delayMs: 10 }]);
  await timers.fire();
  expect([runs, errors]).toEqual([2, [new Error('The disk is full.')]]);
  await timers.fire();
  const closed = repeated.close();
  expect(repeated.isClosed).toBe(true);
  end();
  await closed;
  await turn();
  expect([runs, timers.waiting]).toEqual([3, []]);
});
