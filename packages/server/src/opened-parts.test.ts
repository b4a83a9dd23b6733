import { expect, it } from 'vitest';
import { createOpenedParts } from './opened-parts.ts';

it('closes all, the newest first, also when some fail, and tells the first failure', async () => {
  const opened = createOpenedParts();
  const closed: number[] = [];
  for (const number of [1, 2, 3, 4]) {
    opened.add(async () => {
      closed.push(number);
      if (number % 2 === 1) throw new Error(`part ${number}`);
    });
  }
  await expect(opened.close()).rejects.toThrow('part 3');
  expect(closed).toEqual([4, 3, 2, 1]);
  await opened.close();
  expect(closed).toHaveLength(4);
});
