import { once } from 'node:events';
import { createServer, request as startRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { freePiece, freeWritten } from './free-piece.ts';

it('takes the memory of a whole piece, and leaves what a part belongs to', () => {
  const whole = Buffer.alloc(100_000, 'x');
  const larger = Buffer.alloc(100_000, 'x');
  freePiece(whole);
  freePiece(larger.subarray(0, 50_000));
  freePiece(whole);
  expect(whole.byteLength).toBe(0);
  expect(larger.byteLength).toBe(100_000);
});

it('frees the pieces of an answer when they are on their way, and not before', async () => {
  const pieces = ['a', 'b', 'c'].map((letter) => Buffer.alloc(1_000_000, letter));
  const all = Buffer.concat(pieces);
  const finished = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    freeWritten(response);
    for (const piece of pieces) response.write(piece);
    response.end(finished.resolve);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const call = startRequest({ host: '127.0.0.1', port }).end();
  try {
    const [answer] = await once(call, 'response');
    expect((await buffer(answer)).equals(all)).toBe(true);
    await finished.promise;
    expect(pieces.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
