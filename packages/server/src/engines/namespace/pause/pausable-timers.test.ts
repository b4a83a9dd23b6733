import { expect, it } from 'vitest';
import { PausableTimers } from './pausable-timers.ts';

it('counts only the time in which the timers are not paused', () => {
  let nowMs = 0;
  const due = new Map<() => void, number>();
  const timers = new PausableTimers(
    (action, delayMs) => {
      due.set(action, nowMs + delayMs);
      return () => due.delete(action);
    },
    () => nowMs,
  );
  const advance = (byMs: number): void => {
    nowMs += byMs;
    for (const [action, atMs] of due) {
      if (atMs > nowMs) continue;
      due.delete(action);
      action();
    }
  };
  const fired: string[] = [];
  timers.start(() => fired.push('first'), 100);
  const cancel = timers.start(() => fired.push('cancelled'), 100);
  advance(60);
  timers.pause();
  timers.pause();
  timers.start(() => fired.push('made while paused'), 20);
  advance(1_000);
  cancel();
  expect(fired).toEqual([]);
  timers.resume();
  timers.resume();
  advance(19);
  expect(fired).toEqual([]);
  advance(1);
  expect(fired).toEqual(['made while paused']);
  advance(20);
  expect(fired).toEqual(['made while paused', 'first']);
  advance(1_000);
  expect(fired).toHaveLength(2);
});
