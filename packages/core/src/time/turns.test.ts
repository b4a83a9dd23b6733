import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('lets so many work at once, and passes over who has left', async () => {
  const turns = new Turns(1);
  const never = new AbortController().signal;
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  const working = turns.run(() => first.promise, never);
  const leaving = new AbortController();
  const left = turns.run(async () => done.push('left'), leaving.signal);
  const last = turns.run(async () => done.push('last'), never);
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  expect(done).toEqual([]);
  first.resolve();
  await working;
  await last;
  expect(done).toEqual(['last']);
  // A failure gives its turn back, too.
  await expect(turns.run(() => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
  await turns.run(async () => done.push('again'), never);
  expect(done).toEqual(['last', 'again']);
});
