import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationForms, parseDuration } from './duration.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('a duration', () => {
  it.each([
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', dayMs],
    ['7d', 7 * dayMs],
    ['2w', 14 * dayMs],
    ['3mo', 90 * dayMs],
    ['1y', 365 * dayMs],
    ['24', dayMs],
    [' 1h ', hourMs],
  ])('of %j is read', (text, durationMs) => {
    expect(parseDuration(text)).toEqual({ ok: true, durationMs });
  });

  it.each([
    '',
    ' ',
    'h',
    '-1h',
    '1H',
    '1h30m',
    '1.5h',
    '1 h',
    '1M',
    '1ms',
    '1day',
    '+1h',
    '0s',
    '0',
    '１h',
    '1e3s',
    '0x10s',
    '99999999999w',
    '1001y',
    '10000y',
  ])('of %j is refused with the valid forms or the reason', (text) => {
    const result = parseDuration(text);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.problem).toMatch(/Use one of|The longest is/);
  });

  it('names every documented unit in its help', () => {
    for (const unit of ['s', 'm', 'h', 'd', 'w', 'mo', 'y']) {
      expect(durationForms).toMatch(new RegExp(`\\d${unit}\\b`));
    }
  });

  it('is never a wrong number: any text is refused or is count times unit', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = parseDuration(text);
        if (!result.ok) return;
        expect(text.trim()).toMatch(/^\d+(s|m|h|d|w|mo|y)?$/);
        expect(Number.isSafeInteger(result.durationMs)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.constantFrom('s', 'm', 'h', 'd', 'w', 'mo', 'y'),
        (count, unit) => {
          const one = parseDuration(`1${unit}`);
          expect(parseDuration(`${count}${unit}`)).toEqual(
            one.ok ? { ok: true, durationMs: count * one.durationMs } : one,
          );
        },
      ),
    );
  });
});
