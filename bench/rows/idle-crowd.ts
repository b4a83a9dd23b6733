import { callMethod, type KeepAliveClient } from '../keep-alive-client.ts';
import { descendantsOf, megabytesOf } from '../process-memory.ts';
import { atMost, atMostTimes, type Row } from '../row.ts';
import { median } from '../statistics.ts';
import { timed } from './round-trips.ts';

const count = 200;
const rounds = 25;

/** Two hundred sandboxes that wait: what each costs, and what one more does. */
export async function idleCrowd(
  client: KeepAliveClient,
  serverPid: number,
): Promise<readonly Row[]> {
  const names = Array.from({ length: count }, (_, index) => `idle-${index}`);
  const start = (sandbox: string) => callMethod(client, 'sandbox.start', { sandbox });
  const stop = (sandbox: string) => callMethod(client, 'sandbox.stop', { sandbox });
  const startTimes = async (): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const name = `one-more-${round}`;
      times.push(await timed(() => start(name)));
      await stop(name);
    }
    return median(times);
  };
  const first = await startTimes();
  await Promise.all(names.map(start));
  const each = megabytesOf(descendantsOf(serverPid)) / count;
  const next = await startTimes();
  await Promise.all(names.map(stop));
  return [
    atMost(6, {
      what: `memory of each of ${count} idle sandboxes (PSS)`,
      unit: 'MB',
      ours: each,
    }),
    atMostTimes(1.2, {
      what: `sandbox.start beside ${count} idle ones`,
      unit: 'ms',
      ours: next,
      peer: { name: 'beside none', value: first },
    }),
  ];
}
