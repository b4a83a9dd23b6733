import { expect, it } from 'vitest';
import { DenialBudget } from './denial-budget.ts';

it('twenty refusals in ten seconds are told, and no more until these are over', () => {
  let nowMs = 1_000;
  const budget = new DenialBudget({ nowMs: () => nowMs });
  const told = (): number => Array.from({ length: 50 }, () => budget.take()).filter(Boolean).length;
  expect(told()).toBe(20);
  nowMs += 9_999;
  expect(told()).toBe(0);
  nowMs += 1;
  expect(told()).toBe(20);
});
