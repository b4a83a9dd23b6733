/**
 * A client process: calls a server over and over, through its deaths, and notes what it saw.
 * Started by `fork`; takes `ClientOrder`s and sends `ClientReport`s.
 */
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ClientOrder,
  type ClientReport,
  type HistoryTarget,
  monotonicMs,
  type RecordedCall,
} from './recorded-call.ts';

const callsAtOnce = 4;
const betweenCallsMs = 8;
const afterFailureMs = 25;
const answerDeadlineMs = 20_000;
const reportedAtOnce = 2_000;

interface Shape {
  readonly method: string;
  readonly path: string;
  readonly body: string | null;
}

/** Calls that are written down at their end, and one that is written down before it begins. */
const shapes: readonly Shape[] = [
  { method: 'GET', path: '/api/v1/verify', body: null },
  {
    method: 'POST',
    path: '/api/v1/rpc',
    body: '{"jsonrpc":"2.0","id":1,"method":"sandbox.metrics.get","params":{}}',
  },
  { method: 'POST', path: '/api/v1/tickets', body: '{"subject":"history"}' },
];

const agent = new Agent({ keepAlive: true, maxSockets: callsAtOnce });
let address: string | null = null;
let targets: readonly HistoryTarget[] = [];
let ending = false;
const calls: RecordedCall[] = [];

const any = <Item>(items: readonly Item[]): Item | undefined =>
  items[Math.floor(Math.random() * items.length)];

async function call(base: string, { method, path, body }: Shape, key: string) {
  return await new Promise<{ status: number | null; requestId: string | null }>((resolve) => {
    const failed = () => resolve({ status: null, requestId: null });
    const sending = request(`${base}${path}`, {
      method,
      agent,
      timeout: answerDeadlineMs,
      headers: {
        'x-api-key': key,
        authorization: `Bearer ${key}`,
        ...(body === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    sending.once('error', failed);
    sending.once('timeout', () => sending.destroy(new Error('no answer')));
    sending.once('response', (response) => {
      response.once('error', failed);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? null,
          requestId: String(response.headers['x-request-id']),
        }),
      );
      response.resume();
    });
    sending.end(body ?? undefined);
  });
}

async function callOnAndOn(): Promise<void> {
  while (!ending) {
    const target = any(targets);
    const key = any(target?.texts ?? []);
    const shape = any(shapes);
    if (address === null || target === undefined || key === undefined || shape === undefined) {
      await pause(betweenCallsMs);
      continue;
    }
    const sent = { sentMs: monotonicMs(), sentAtMs: Date.now() };
    const answer = await call(address, shape, key);
    const received = { receivedMs: monotonicMs(), receivedAtMs: Date.now() };
    calls.push({ target: target.name, ...sent, ...received, ...answer });
    await pause(answer.status === null ? afterFailureMs : betweenCallsMs);
  }
}

const report = (message: ClientReport): void => void process.send?.(message);

process.on('message', (order: ClientOrder) => {
  if (order.kind === 'address') address = order.address;
  if (order.kind === 'targets') targets = order.targets;
  if (order.kind === 'end') ending = true;
});
// The test died: nobody will say when to end.
process.once('disconnect', () => process.exit(1));

await Promise.all(Array.from({ length: callsAtOnce }, callOnAndOn));
agent.destroy();
for (let index = 0; index < calls.length; index += reportedAtOnce) {
  report({ kind: 'calls', calls: calls.slice(index, index + reportedAtOnce) });
}
report({ kind: 'ended' });
