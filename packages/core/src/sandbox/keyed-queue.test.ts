import { describe, expect, it } from 'vitest';
import { createKeyedQueue } from './keyed-queue.ts';

describe('a keyed queue', () => {
  it('runs tasks of one key in turn, also after a failure, and other keys beside them', async () => {
    const inTurn = createKeyedQueue();
    const order: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = inTurn('a', async () => {
      await gate;
      order.push('a1');
      throw new Error('a1 fails');
    });
    const second = inTurn('a', async () => void order.push('a2'));
    await inTurn('b', async () => void order.push('b'));
    release();
    await expect(first).rejects.toThrow('a1 fails');
    await second;
    expect(order).toEqual(['b', 'a1', 'a2']);
  });
});
