import { beforeAll, describe, expect, it } from 'vitest';
import { rowsChargedTo, violationsOf } from '../support/history/check-history.ts';
import { type HistoryOutcome, runHistory } from '../support/history/run-history.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
let outcome: HistoryOutcome;

beforeAll(async () => {
  outcome = await runHistory({
    home,
    clients: 2,
    kills: 4,
    loadMs: 1_500,
    minuteLimits: [20, 50],
    familyLimit: 40,
    victims: 2,
  });
}, 120_000);

describe('a server that is killed again and again in mid-load', () => {
  it('keeps limits, usage and revocations as if nothing had happened', () => {
    expect(violationsOf(outcome.history, outcome.rules)).toEqual([]);
  });

  it('did something worth checking', () => {
    const { history, rules } = outcome;
    const statuses = history.calls.map(({ status }) => status);
    const count = (status: number | null) => statuses.filter((each) => each === status).length;
    expect(count(200) + count(204)).toBeGreaterThan(200);
    expect(count(429)).toBeGreaterThan(20);
    expect(count(401)).toBeGreaterThan(0);
    expect(count(null)).toBeGreaterThan(0);
    expect(Object.keys(rules.revokedMs)).toHaveLength(2);
    for (const [target, [window]] of Object.entries(rules.windows)) {
      if (rules.parents[target] !== undefined) continue;
      // More where the whole run took longer than the window is wide.
      const accepted = rowsChargedTo(target, history, rules).length;
      expect(accepted).toBeGreaterThanOrEqual(window?.limit ?? Number.POSITIVE_INFINITY);
    }
    for (const child of Object.keys(rules.parents)) {
      expect([child, rowsChargedTo(child, history, rules).length]).not.toEqual([child, 0]);
    }
  });

  it('leaves one living text of a key that several rotate at once', () => {
    expect(outcome.rotations).toHaveLength(5);
    for (const { statuses, livingTexts } of outcome.rotations) {
      expect(statuses).toContain(200);
      // Those that another one came before are told so, or rotate what it left.
      expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
      expect(livingTexts).toBe(1);
    }
  });
});
