import { setTimeout as pause } from 'node:timers/promises';
import { callMethod, type KeepAliveClient } from '../keep-alive-client.ts';
import { atMostAbove, type Row } from '../row.ts';
import { median } from '../statistics.ts';
import { timed, withBareServer } from './round-trips.ts';

const rounds = 40;
/** For the pool to be full again: others that ask at the same time are not what is measured here. */
const refillMs = 400;

/** A start that takes from a warm pool, then a first print, against the least that HTTP costs. */
export const warmStart = (client: KeepAliveClient): Promise<Row> =>
  withBareServer(async (echo) => {
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await pause(refillMs);
      const sandbox = `warm-${round}`;
      const startAndPrint = async () => {
        await callMethod(client, 'sandbox.start', { sandbox });
        return await callMethod(client, 'sandbox.repl.run', {
          ...{ sandbox, language: 'python', code: 'print(1)' },
        });
      };
      ours.push(await timed(startAndPrint));
      bare.push(await timed(echo));
      await callMethod(client, 'sandbox.stop', { sandbox });
    }
    return atMostAbove(15, {
      what: 'start to first output, from a warm pool, python',
      unit: 'ms',
      ours: median(ours),
      peer: { name: 'bare node:http', value: median(bare) },
    });
  });
