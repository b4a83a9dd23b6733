import { randomBytes } from 'node:crypto';
import { type BrimbleClient, createSandbox } from '../brimble-client.ts';
import { residentMegabytes } from '../process-memory.ts';
import { atLeastTimes, atMost, type Row } from '../row.ts';
import { median } from '../statistics.ts';
import { timed } from './round-trips.ts';

const rounds = 15;
const megabytes = 50;
const sampleEveryMs = 5;
const copy = 'cat /workspace/file | cat >/workspace/copy';

/** A large file put and got over HTTP, against copying it inside through a pipe; all in turn. */
export async function largeFiles(
  client: BrimbleClient,
  serverPid: number,
): Promise<readonly Row[]> {
  const id = await createSandbox(client);
  const path = `/sandboxes/${id}/files/workspace/file`;
  const content = randomBytes(megabytes * 1e6);
  const put = () => client.call('PUT', path, content);
  const get = async () => {
    let bytes = 0;
    await client.call('GET', path, undefined, (data) => {
      bytes += data.byteLength;
    });
    if (bytes !== content.byteLength) throw new Error(`${bytes} bytes came back.`);
  };
  const pipe = () => client.call('POST', `/sandboxes/${id}/exec`, { cmd: copy });
  const speeds = { put: [0], get: [0], pipe: [0] };
  for (const run of [put, get, pipe]) await run();
  const before = residentMegabytes(serverPid);
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, residentMegabytes(serverPid));
  }, sampleEveryMs);
  for (let round = 0; round < rounds; round += 1) {
    speeds.put.push((megabytes / (await timed(put))) * 1_000);
    speeds.get.push((megabytes / (await timed(get))) * 1_000);
    speeds.pipe.push((megabytes / (await timed(pipe))) * 1_000);
  }
  clearInterval(sampling);
  await client.call('DELETE', `/sandboxes/${id}`);
  const peer = { name: 'cat through a pipe inside', value: median(speeds.pipe) };
  return [
    atLeastTimes(0.5, {
      what: `put of a file of ${megabytes} MB`,
      unit: 'MB/s',
      ours: median(speeds.put),
      peer,
    }),
    atLeastTimes(0.5, {
      what: `get of a file of ${megabytes} MB`,
      unit: 'MB/s',
      ours: median(speeds.get),
      peer,
    }),
    atMost(megabytes / 2, {
      what: 'growth of the server meanwhile (RSS, the most)',
      unit: 'MB',
      ours: most - before,
    }),
  ];
}
