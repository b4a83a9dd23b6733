import { expect, it } from 'vitest';
import { SharedWork } from './shared-work.ts';

const never = new AbortController().signal;

it('does one thing for all who ask for it, and tells each of them of it', async () => {
  const shared = new SharedWork<string, number>();
  const seen: string[] = [];
  let begun = 0;
  const go = Promise.withResolvers<void>();
  const work = async (_: AbortSignal, emit: (event: number) => void): Promise<string> => {
    begun += 1;
    await go.promise;
    emit(7);
    return 'done';
  };
  const ask = (name: string) =>
    shared.run('key', work, { signal: never, onEvent: (event) => seen.push(`${name} ${event}`) });
  const both = Promise.all([ask('one'), ask('other')]);
  expect(shared.has('key')).toBe(true);
  go.resolve();
  expect(await both).toEqual(['done', 'done']);
  expect(begun).toBe(1);
  expect(seen).toEqual(['one 7', 'other 7']);
  await ask('later');
  expect(begun).toBe(2);
});

it('goes on for as long as one still waits, and then is given up', async () => {
  const shared = new SharedWork<string>();
  let given: AbortSignal = never;
  const work = (signal: AbortSignal): Promise<string> => {
    given = signal;
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    );
  };
  const [one, other] = [new AbortController(), new AbortController()];
  const first = shared.run('key', work, { signal: one.signal });
  const second = shared.run('key', work, { signal: other.signal });
  one.abort(new Error('one'));
  await expect(first).rejects.toThrow('one');
  expect(given.aborted).toBe(false);
  other.abort(new Error('other'));
  await expect(second).rejects.toThrow('other');
  expect(given.aborted).toBe(true);
  expect(shared.has('key')).toBe(false);
  await expect(shared.run('key', work, { signal: one.signal })).rejects.toThrow('one');
});

it('fails for all of them, and begins anew afterwards', async () => {
  const shared = new SharedWork<string>();
  const fail = () => Promise.reject(new Error('broken'));
  const both = [1, 2].map(() => shared.run('key', fail, { signal: never }));
  for (const each of await Promise.allSettled(both)) expect(each.status).toBe('rejected');
  expect(await shared.run('key', async () => 'fine', { signal: never })).toBe('fine');
});
