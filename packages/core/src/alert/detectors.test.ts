import { describe, expect, it } from 'vitest';
import { effectiveThresholds, standardAlertSettings } from './alert-settings.ts';
import { detectExpiry, detectIdle, detectQuota } from './detect-key-state.ts';
import {
  type CallHistory,
  detectErrorSpike,
  detectRateSpike,
  historyStartMs,
  toCallHistory,
} from './detect-spikes.ts';

const thresholds = effectiveThresholds(standardAlertSettings);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = 500_000 * hourMs + 1_000;

const calls = (count: number, errors = 0) => ({ calls: count, errors });
const history = (changes: Partial<CallHistory>): CallHistory => ({
  current: calls(0),
  previous: calls(0),
  before: Array.from({ length: 168 }, (_, index) => calls(index === 5 ? 50 : 10)),
  ...changes,
});

describe('toCallHistory', () => {
  it('adds endpoints up by hour, and fills hours without calls since the key was made', () => {
    const startMs = 500_000 * hourMs;
    const bucket = (hoursAgo: number, count: number, successes: number) => ({
      startMs: startMs - hoursAgo * hourMs,
      calls: count,
      successes,
    });
    const read = toCallHistory(
      [bucket(0, 3, 3), bucket(0, 4, 2), bucket(1, 5, 0), bucket(2, 6, 6), bucket(4, 7, 7)],
      { createdAtMs: nowMs - 5 * hourMs, nowMs },
    );
    expect(read).toEqual({
      current: calls(7, 2),
      previous: calls(5, 5),
      before: [calls(6), calls(0), calls(7)],
    });
    const old = toCallHistory([], { createdAtMs: 0, nowMs });
    expect(old.before).toHaveLength(168);
    expect(historyStartMs(nowMs)).toBe(startMs - 169 * hourMs);
  });
});

describe('a rate spike', () => {
  it('is more than three times the busiest hour of the week, in this hour or the last', () => {
    expect(detectRateSpike(history({ current: calls(150) }), thresholds)).toBeNull();
    const found = { type: 'rate_spike', value: 151, threshold: 150 };
    expect(detectRateSpike(history({ current: calls(151) }), thresholds)).toMatchObject(found);
    expect(detectRateSpike(history({ previous: calls(151) }), thresholds)).toMatchObject(found);
  });

  it('is never found under its minimum, nor for a key without a day of history', () => {
    const quiet = { before: Array.from({ length: 24 }, () => calls(0)) };
    expect(detectRateSpike(history({ ...quiet, current: calls(100) }), thresholds)).toBeNull();
    expect(detectRateSpike(history({ ...quiet, current: calls(101) }), thresholds)).not.toBeNull();
    const young = { before: Array.from({ length: 23 }, () => calls(0)) };
    expect(detectRateSpike(history({ ...young, current: calls(9_999) }), thresholds)).toBeNull();
  });
});

describe('an error spike', () => {
  it('is a quarter of what usually succeeds, of at least fifty calls', () => {
    const usual = { before: [calls(1_000, 200)] };
    const at = (count: number, errors: number) =>
      detectErrorSpike(history({ ...usual, current: calls(count, errors) }), thresholds);
    expect(at(100, 40)).toBeNull();
    expect(at(100, 41)).toMatchObject({ type: 'error_spike', value: 0.41, threshold: 0.4 });
    expect(at(49, 49)).toBeNull();
  });

  it('is found without history, and never where everything always failed', () => {
    const at = (before: CallHistory['before']) =>
      detectErrorSpike(history({ before, previous: calls(50, 50) }), thresholds);
    expect(at([])).not.toBeNull();
    expect(at([calls(100, 100)])).toBeNull();
    const all = { ...thresholds, errorSpikeShare: 1 };
    expect(detectErrorSpike(history({ current: calls(50, 50) }), all)).not.toBeNull();
    expect(detectErrorSpike(history({ current: calls(50, 49) }), all)).toBeNull();
  });
});

describe('an idle key', () => {
  const key = { createdAtMs: 0, lastUsedAtMs: nowMs - 90 * dayMs, enabled: true };
  it('was not used for 90 days to the millisecond, and is enabled', () => {
    expect(detectIdle(key, nowMs, thresholds)).toMatchObject({ value: 90, threshold: 90 });
    expect(detectIdle(key, nowMs - 1, thresholds)).toBeNull();
    expect(detectIdle({ ...key, enabled: false }, nowMs, thresholds)).toBeNull();
  });

  it('may never have been used', () => {
    const unused = { ...key, createdAtMs: nowMs - 90 * dayMs, lastUsedAtMs: null };
    expect(detectIdle(unused, nowMs, thresholds)?.message).toContain('Never used');
  });
});

describe('a near expiry', () => {
  const key = { createdAtMs: nowMs - 30 * dayMs, expiresAtMs: nowMs + 7 * dayMs };
  it('is within seven days, and not past', () => {
    expect(detectExpiry(key, nowMs, thresholds)).toMatchObject({ value: 7, threshold: 7 });
    expect(detectExpiry(key, nowMs - 1, thresholds)).toBeNull();
    expect(detectExpiry({ ...key, expiresAtMs: nowMs }, nowMs, thresholds)).toBeNull();
    expect(detectExpiry({ ...key, expiresAtMs: null }, nowMs, thresholds)).toBeNull();
  });

  it('is not reported of a key that was made to live for less than two weeks', () => {
    const short = { createdAtMs: nowMs, expiresAtMs: nowMs + dayMs };
    expect(detectExpiry(short, nowMs, thresholds)).toBeNull();
  });
});

describe('a quota', () => {
  const day = (used: number) => [
    { name: 'minute', limit: 1, widthMs: 60_000, remaining: 0, resetAfterMs: 1 },
    { name: 'day', limit: 100, widthMs: dayMs, remaining: 100 - used, resetAfterMs: 1 },
  ];
  it('is near from 80 % and reached from 100 % of the day, and whatever the minute says', () => {
    expect(detectQuota(day(79), 'quota_near', thresholds, false)).toBeNull();
    expect(detectQuota(day(80), 'quota_near', thresholds, false)).toMatchObject({ value: 0.8 });
    expect(detectQuota(day(99), 'quota_reached', thresholds, false)).toBeNull();
    expect(detectQuota(day(100), 'quota_reached', thresholds, false)).toMatchObject({
      level: 'critical',
    });
  });

  it('goes on until use is a tenth under its mark', () => {
    expect(detectQuota(day(72), 'quota_near', thresholds, true)).not.toBeNull();
    expect(detectQuota(day(71), 'quota_near', thresholds, true)).toBeNull();
    expect(detectQuota([], 'quota_near', thresholds, true)).toBeNull();
  });
});
