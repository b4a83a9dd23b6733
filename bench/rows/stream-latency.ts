import { type BrimbleClient, createSandbox } from '../brimble-client.ts';
import { atMost, type Row } from '../row.ts';
import { median } from '../statistics.ts';

const rounds = 60;
/** What it writes is when it wrote it, by the clock that this process reads too. */
const cmd = `exec python3 -S -c 'import os, time; os.write(1, b"%d" % time.monotonic_ns())'`;

/** From the first write of a command to its first byte at the client. */
export async function streamLatency(client: BrimbleClient): Promise<Row> {
  const id = await createSandbox(client);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    let text = '';
    let arrivedNs = 0n;
    await client.call('POST', `/sandboxes/${id}/exec`, { cmd, stream: true }, (data) => {
      text += data;
      if (arrivedNs === 0n && text.includes('"stdout"')) arrivedNs = process.hrtime.bigint();
    });
    const [, writtenNs = ''] = /"type":"stdout","data":"(\d+)"/.exec(text) ?? [];
    times.push(Number(arrivedNs - BigInt(writtenNs)) / 1e6);
  }
  await client.call('DELETE', `/sandboxes/${id}`);
  return atMost(3, {
    what: 'first byte of a streamed command after it was written',
    unit: 'ms',
    ours: median(times),
  });
}
