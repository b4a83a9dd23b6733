import { describe, expect, it } from 'vitest';
import { UnfinishedWork } from './unfinished-work.ts';

describe('unfinished work', () => {
  it('is done again when it is asked for, until it succeeds', async () => {
    const unfinished = new UnfinishedWork();
    let failures = 2;
    let done = 0;
    await unfinished.do(async () => {
      failures -= 1;
      if (failures >= 0) throw new Error('EMFILE');
      done += 1;
    });
    expect(unfinished.size).toBe(1);
    await Promise.all([unfinished.retry(), unfinished.retry()]);
    expect(unfinished.size).toBe(1);
    await unfinished.retry();
    await unfinished.retry();
    expect({ size: unfinished.size, done }).toEqual({ size: 0, done: 1 });
  });

  it('is done again with the next work that succeeds', async () => {
    const unfinished = new UnfinishedWork();
    const order: string[] = [];
    let fails = true;
    await unfinished.do(async () => {
      if (fails) throw new Error('EMFILE');
      order.push('first');
    });
    fails = false;
    await unfinished.do(async () => void order.push('second'));
    await unfinished.retry();
    expect(order).toEqual(['second', 'first']);
  });
});
