import { expect, it } from 'vitest';
import { nextCronMs } from './next-cron.ts';

const at = (text: string): number => Date.parse(text);

it.each([
  ['0 3 * * *', '2030-01-02T03:00:00Z', '2030-01-03T03:00:00Z'],
  ['*/15 * * * *', '2030-01-02T03:00:00.001Z', '2030-01-02T03:15:00Z'],
  ['0 0 29 2 *', '2030-01-01T00:00:00Z', '2032-02-29T00:00:00Z'],
  ['30 12 * * 1', '2030-01-02T00:00:00Z', '2030-01-07T12:30:00Z'],
])('finds the time behind another that %s names', (expression, after, next) => {
  expect(new Date(nextCronMs(expression, at(after)) ?? 0)).toEqual(new Date(next));
});

it('knows when there is none', () => {
  expect(nextCronMs('0 0 31 2 *', at('2030-01-01T00:00:00Z'))).toBeNull();
});

it.each(['', 'daily', '* * * *', '* * * * * *', '61 * * * *', '2030-01-01T00:00:00'])(
  'refuses %j',
  (expression) => {
    expect(() => nextCronMs(expression, 0)).toThrow('is not a schedule');
  },
);
