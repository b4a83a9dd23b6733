import { expect, it } from 'vitest';
import { OutputBudget } from './output-budget.ts';

it('leaves half to others, however many answers one holder has, and gives back what is released', () => {
  const budget = new OutputBudget(100);
  const first = budget.open(100, 'a');
  expect(first.take(40)).toBe(true);
  expect(budget.open(100, 'a').take(11)).toBe(false);
  expect(budget.open(100, 'a').take(10)).toBe(true);
  expect(budget.open(100, 'b').take(50)).toBe(true);
  expect(budget.open(100, 'c').take(1)).toBe(false);
  first.release();
  first.release();
  expect(budget.takenBytes).toBe(60);
  expect(budget.open(100, 'a').take(40)).toBe(true);
});
