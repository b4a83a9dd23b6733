import { SandgateError } from '@sandgate/core';
import { expect, it } from 'vitest';
import { OnceOnly } from './once-only.ts';

const scope = { owner: 'key:1', method: 'POST', path: '/sandboxes', key: 'one' };
const open = new AbortController().signal;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof SandgateError ? error.code : error),
  );

/** Work that is under way until it is told to end. */
function underWay() {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { work: () => promise, end: () => resolve('first') };
}

it('lets one request of a key run at a time, and wakes the next at its end', async () => {
  const once = new OnceOnly();
  const { work, end } = underWay();
  const order: string[] = [];
  const first = once.inTurn(scope, 'f', open, async () => void order.push(await work()));
  const second = once.inTurn(scope, 'f', open, async () => void order.push('second'));
  const elsewhere = { ...scope, path: '/volumes' };
  await once.inTurn(elsewhere, 'g', open, async () => void order.push('another'));
  expect(order).toEqual(['another']);
  end();
  await Promise.all([first, second]);
  expect(order).toEqual(['another', 'first', 'second']);
});

it('goes on after a request that failed', async () => {
  const once = new OnceOnly();
  const failed = once.inTurn(scope, 'f', open, () => Promise.reject(new Error('no room')));
  const next = once.inTurn(scope, 'f', open, async () => 'next');
  await expect(failed).rejects.toThrow('no room');
  expect(await next).toBe('next');
});

it('refuses another request of the key, one whose client goes away, and one that waited too long', async () => {
  const once = new OnceOnly(1);
  const { work, end } = underWay();
  const first = once.inTurn(scope, 'f', open, work);
  const never = () => Promise.reject(new Error('This was carried out.'));
  expect(await codeOf(once.inTurn(scope, 'g', open, never))).toBe('idempotency_conflict');
  const gone = AbortSignal.abort();
  expect(await codeOf(once.inTurn(scope, 'f', gone, never))).toBe('request_abandoned');
  expect(await codeOf(once.inTurn(scope, 'f', open, never))).toBe('idempotency_conflict');
  end();
  expect(await first).toBe('first');
});

it('keeps an end that could not be stored for the next request of the key', async () => {
  const once = new OnceOnly();
  let full = true;
  let told = 0;
  const store = async () => {
    if (full) throw new Error('The disk is full.');
    told += 1;
  };
  await once.inTurn(scope, 'f', open, () => once.settle(scope, store));
  const next = () => once.inTurn(scope, 'f', open, async () => told);
  await expect(next()).rejects.toThrow('full');
  full = false;
  expect(await next()).toBe(1);
  expect(await next()).toBe(1);
});
