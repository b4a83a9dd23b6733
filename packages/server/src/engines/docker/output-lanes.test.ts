import { expect, it } from 'vitest';
import { OutputLanes } from './output-lanes.ts';

const bytes = (length: number): Buffer => Buffer.alloc(length, 'x');

it('hands each output on in its order, one piece at a time', async () => {
  const seen: string[] = [];
  let concurrent = 0;
  const lanes = new OutputLanes(async ({ stream, data }) => {
    if (stream === 'stdout') expect(concurrent++).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(`${stream} ${data}`);
    if (stream === 'stdout') concurrent -= 1;
  });
  for (const word of ['one', 'two', 'three']) {
    await lanes.give({ stream: 'stdout', data: Buffer.from(word) });
  }
  await lanes.finish();
  expect(seen).toEqual(['stdout one', 'stdout two', 'stdout three']);
});

it('hands one output on while the other is held back', async () => {
  const seen: string[] = [];
  const lanes = new OutputLanes(({ stream }) => {
    seen.push(stream);
    return stream === 'stdout' ? new Promise(() => undefined) : undefined;
  });
  await lanes.give({ stream: 'stdout', data: bytes(10) });
  await lanes.give({ stream: 'stderr', data: bytes(10) });
  expect(seen).toEqual(['stdout', 'stderr']);
});

it('takes no more than it may hold, until the receiver has taken some', async () => {
  const taken = Promise.withResolvers<void>();
  const lanes = new OutputLanes(() => taken.promise);
  await lanes.give({ stream: 'stdout', data: bytes(200_000) });
  let free = false;
  const giving = lanes.give({ stream: 'stdout', data: bytes(200_000) }).then(() => {
    free = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(free).toBe(false);
  taken.resolve();
  await giving;
  await lanes.finish();
});

it('throws what the receiver throws', async () => {
  const lanes = new OutputLanes(() => {
    throw new Error('reader failed');
  });
  await expect(lanes.give({ stream: 'stdout', data: bytes(1) })).rejects.toThrow('reader failed');
  await expect(lanes.finish()).rejects.toThrow('reader failed');
});
