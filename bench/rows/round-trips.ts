import { createServer } from 'node:http';
import { timeTrueByHand } from '../bubblewrap-by-hand.ts';
import { callMethod, createKeepAliveClient, type KeepAliveClient } from '../keep-alive-client.ts';
import { atMostAbove, atMostTimes, type Row } from '../row.ts';
import { median } from '../statistics.ts';

const rounds = 400;
const spawnRounds = 100;

export async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}

/** A `node:http` server that reads a body and answers it: the least that any server can do. */
async function startBareServer() {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(Buffer.concat(chunks));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The bare server has no port.');
  return { address: `http://127.0.0.1:${bound.port}`, server };
}

/** Works beside a bare server, with a round trip to it. */
export async function withBareServer<Result>(
  work: (echo: () => Promise<unknown>) => Promise<Result>,
): Promise<Result> {
  const bare = await startBareServer();
  const client = createKeepAliveClient(bare.address, 'none');
  try {
    return await work(() => client.post('/', { jsonrpc: '2.0', id: 1, method: 'x', params: {} }));
  } finally {
    client.close();
    bare.server.close();
  }
}

/** `1+1` in a running Python kernel, and `/bin/true` in a running sandbox. */
export const roundTrips = (client: KeepAliveClient): Promise<readonly Row[]> =>
  withBareServer((echo) => measure(client, echo));

async function measure(
  client: KeepAliveClient,
  echo: () => Promise<unknown>,
): Promise<readonly Row[]> {
  const sandbox = 'round-trips';
  await callMethod(client, 'sandbox.start', { sandbox });
  const evaluate = () =>
    callMethod(client, 'sandbox.repl.run', { sandbox, language: 'python', code: '1+1' });
  const runTrue = () =>
    callMethod(client, 'sandbox.command.run', { sandbox, command: '/bin/true' });
  const times = { evaluate: [0], echo: [0], ours: [0], byHand: [0] };
  for (let warmUp = 0; warmUp < 20; warmUp += 1) await Promise.all([evaluate(), echo()]);
  for (let round = 0; round < rounds; round += 1) {
    times.evaluate.push(await timed(evaluate));
    times.echo.push(await timed(echo));
  }
  for (let round = 0; round < spawnRounds; round += 1) {
    times.ours.push(await timed(runTrue));
    times.byHand.push(await timeTrueByHand());
  }
  await callMethod(client, 'sandbox.stop', { sandbox });
  return [
    atMostAbove(1.5, {
      what: 'sandbox.repl.run of 1+1 in a running kernel',
      unit: 'ms',
      ours: median(times.evaluate),
      peer: { name: 'bare node:http', value: median(times.echo) },
    }),
    atMostTimes(2, {
      what: 'sandbox.command.run of /bin/true',
      unit: 'ms',
      ours: median(times.ours),
      peer: { name: 'bubblewrap by hand', value: median(times.byHand) },
    }),
  ];
}
