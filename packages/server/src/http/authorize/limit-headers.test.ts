import { describe, expect, it } from 'vitest';
import { addLimitHeaders } from './limit-headers.ts';

const windows = [
  { name: 'minute', limit: 100, widthMs: 60_000, remaining: 3, resetAfterMs: 1_500 },
  { name: 'hour', limit: 1_000, widthMs: 3_600_000, remaining: 900, resetAfterMs: 60_001 },
  { name: 'quota24h', limit: 50, widthMs: 86_400_000, remaining: 50, resetAfterMs: 0 },
];

describe('the limit headers', () => {
  it('say how every window stands, in each of the forms that clients read', () => {
    const headers = new Headers();
    const list: string[] = [];
    addLimitHeaders(list, windows, 1_000_000_000_200);
    for (let index = 0; index < list.length; index += 2) {
      headers.set(list[index] ?? '', list[index + 1] ?? '');
    }
    expect(Object.fromEntries(headers)).toEqual({
      'x-ratelimit-limit': '100',
      'x-ratelimit-quota-limit': '50',
      'x-ratelimit-quota-remaining': '50',
      'x-ratelimit-quota-reset': '0',
      'x-ratelimit-remaining': '3',
      'x-ratelimit-reset': '1000000002',
      'x-ratelimit-minute-limit': '100',
      'x-ratelimit-minute-remaining': '3',
      'x-ratelimit-minute-reset': '2',
      'x-ratelimit-hour-limit': '1000',
      'x-ratelimit-hour-remaining': '900',
      'x-ratelimit-hour-reset': '61',
      'ratelimit-policy': '"minute";q=100;w=60, "hour";q=1000;w=3600, "quota24h";q=50;w=86400',
      ratelimit: '"minute";r=3;t=2, "hour";r=900;t=61, "quota24h";r=50;t=0',
    });
  });
});
