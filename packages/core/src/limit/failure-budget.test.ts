import { describe, expect, it } from 'vitest';
import { createFailureBudget } from './failure-budget.ts';

const spend = (budget: ReturnType<typeof createFailureBudget>, address: string, times: number) =>
  Array.from({ length: times }, () => budget.charge(address, 0)).at(-1);

describe('the budget of refused credentials', () => {
  it('is 60 a minute for an address, and says how long to wait', () => {
    const budget = createFailureBudget();
    expect(spend(budget, '192.0.2.1', 60)).toBe(0);
    expect(budget.charge('192.0.2.1', 15_000)).toBe(45_000);
    expect(budget.charge('192.0.2.2', 15_000)).toBe(0);
    expect(budget.charge('192.0.2.1', 60_000)).toBe(0);
  });

  it('is shared by a /64 of IPv6, and by no more', () => {
    const budget = createFailureBudget();
    spend(budget, '2001:db8:1:2::1', 60);
    expect(budget.charge('2001:db8:1:2:ffff::9', 0)).toBeGreaterThan(0);
    expect(budget.charge('2001:db8:1:3::1', 0)).toBe(0);
    expect(budget.charge('::1', 0)).toBe(0);
  });

  it('forgets the address longest unused when there are too many', () => {
    const budget = createFailureBudget();
    spend(budget, '192.0.2.1', 60);
    for (let index = 0; index < 10_000; index += 1) budget.charge(`host-${index}`, 0);
    expect(budget.charge('192.0.2.1', 0)).toBe(0);
  });
});
