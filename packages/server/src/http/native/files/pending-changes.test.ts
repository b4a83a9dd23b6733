import { expect, it } from 'vitest';
import { PendingChanges } from './pending-changes.ts';

const all = async (changes: PendingChanges) => {
  const seen = [];
  for await (const change of changes) seen.push(change);
  return seen;
};

it('gives the last change of each path, in the order in which they happened', async () => {
  const changes = new PendingChanges();
  const seen = all(changes);
  changes.add({ kind: 'created', path: '/a' });
  changes.add({ kind: 'created', path: '/b' });
  changes.add({ kind: 'removed', path: '/a' });
  changes.end();
  expect(await seen).toEqual([
    { kind: 'created', path: '/b' },
    { kind: 'removed', path: '/a' },
  ]);
});

it('says that some were missed where more wait than it holds', async () => {
  const changes = new PendingChanges();
  for (let n = 0; n <= 10_000; n += 1) changes.add({ kind: 'created', path: `/${n}` });
  changes.add({ kind: 'changed', path: '/later' });
  changes.end();
  expect(await all(changes)).toEqual(['missed', { kind: 'changed', path: '/later' }]);
});
