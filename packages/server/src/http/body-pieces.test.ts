import { once } from 'node:events';
import { createServer, type IncomingMessage, request as startRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { bodyPieces } from './body-pieces.ts';

const unused = new Request('http://localhost/');

/** Sends `first`, and `rest` once there is an answer; gives the answer. */
async function exchange(
  answer: (incoming: IncomingMessage) => Promise<string>,
  { first, rest }: { readonly first: string; readonly rest: string | null },
): Promise<string> {
  const server = createServer((incoming, response) => {
    void answer(incoming).then((body) => response.end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const call = startRequest({ host: '127.0.0.1', port, method: 'PUT' });
  try {
    const answered = once(call, 'response');
    call.write(first);
    if (rest === null) call.end();
    const [response] = (await answered) as [IncomingMessage];
    if (rest !== null) call.end(rest);
    return await text(response);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('gives all of a body that arrives on a socket', async () => {
  const first = 'x'.repeat(300_000);
  const answer = (incoming: IncomingMessage) => text(bodyPieces({ request: unused, incoming }));
  expect(await exchange(answer, { first, rest: null })).toBe(first);
});

it('leaves the connection to the answer of whoever stops reading', async () => {
  const answer = async (incoming: IncomingMessage): Promise<string> => {
    for await (const piece of bodyPieces({ request: unused, incoming })) {
      return `enough at ${piece.length}`;
    }
    return 'nothing';
  };
  expect(await exchange(answer, { first: 'abc', rest: 'more' })).toBe('enough at 3');
});

it('gives the body of a request that came by no socket, and nothing where there is none', async () => {
  const request = new Request('http://localhost/', { method: 'PUT', body: 'abc' });
  expect(await text(bodyPieces({ request, incoming: undefined }))).toBe('abc');
  expect(await text(bodyPieces({ request: unused, incoming: undefined }))).toBe('');
});
