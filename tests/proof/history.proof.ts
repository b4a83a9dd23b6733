import { beforeAll, describe, expect, it } from 'vitest';
import { rowsChargedTo, violationsOf } from '../support/history/check-history.ts';
import { type HistoryOutcome, runHistory } from '../support/history/run-history.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
const kills = 24;
const victims = 20;
let outcome: HistoryOutcome;

beforeAll(async () => {
  outcome = await runHistory({
    home,
    clients: 3,
    kills,
    loadMs: 6_000,
    minuteLimits: [20, 50, 300],
    familyLimit: 100,
    victims,
  });
}, 900_000);

describe(`a server that is killed ${kills} times in mid-load, over many windows`, () => {
  it('keeps limits, usage and revocations as if nothing had happened', () => {
    const { history, rules } = outcome;
    expect(violationsOf(history, rules)).toEqual([]);
  });

  it('did something worth checking: every window was full more than once', () => {
    const { history, rules } = outcome;
    const answered = history.calls.filter(({ status }) => status !== null);
    expect(answered.length).toBeGreaterThan(10_000);
    expect(history.calls.length - answered.length).toBeGreaterThanOrEqual(kills);
    expect(Object.keys(rules.revokedMs)).toHaveLength(victims);
    for (const [target, [window]] of Object.entries(rules.windows)) {
      const rows = history.rows.filter((row) => row.keyNumber === rules.keyNumbers[target]);
      expect(rows.some((row) => !row.accepted)).toBe(true);
      if (rules.parents[target] !== undefined) continue;
      const accepted = rowsChargedTo(target, history, rules).length;
      expect(accepted).toBeGreaterThan(2 * (window?.limit ?? Number.POSITIVE_INFINITY));
    }
    for (const child of Object.keys(rules.parents)) {
      expect([child, rowsChargedTo(child, history, rules).length]).not.toEqual([child, 0]);
    }
  });

  it('leaves one living text of a key that several rotate at once', () => {
    expect(outcome.rotations).toHaveLength(kills + 1);
    for (const { statuses, livingTexts } of outcome.rotations) {
      expect(statuses).toContain(200);
      expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
      expect(livingTexts).toBe(1);
    }
  });
});
