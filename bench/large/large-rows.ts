import { closeSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { callApi } from '../../tests/support/call-api.ts';
import { type ServerProcess, startServerProcess } from '../../tests/support/server-process.ts';
import { loadCore, pinToCore, serverCore } from '../pinned-process.ts';
import { atLeastTimes, atMost, type Row } from '../row.ts';
import { median } from '../statistics.ts';
import { keyTextOf, prepareLargeHome } from './large-home.ts';
import { type LoadResult, runLoad } from './load-client.ts';

const small = { keys: 1_000, usageRows: 10_000 };
const large = { keys: 1_000_000, usageRows: 10_000_000 };
const hotKeys = 1_000;
const rounds = 5;
const seconds = 4;
const warmUpSeconds = 4;
const sustainedSeconds = 30;
const connections = 32;
const reads = 20;
const folder = join(import.meta.dirname, '../../.bench');
const smallPeer = 'with 1,000 keys';

/** A server with a million keys and ten million usage rows, beside one with a thousand. */
export async function largeRows({ keep }: { readonly keep: boolean }): Promise<readonly Row[]> {
  const homes = { small: join(folder, 'small'), large: join(folder, 'large') };
  try {
    console.error('a small database …');
    await prepareLargeHome(homes.small, small);
    console.error('a large database, which takes a minute or two …');
    await prepareLargeHome(homes.large, large);
    return await measure(homes);
  } finally {
    if (!keep)
      for (const home of Object.values(homes)) rmSync(home, { recursive: true, force: true });
  }
}

async function measure(homes: { readonly small: string; readonly large: string }) {
  pinToCore(process, loadCore);
  // As a server that has run for a while finds it: in the memory of the operating system.
  readWhole(join(homes.large, 'sandgate.db'));
  const { server, startMs } = await startTimed(homes.large);
  const { server: peer, startMs: peerStartMs } = await startTimed(homes.small);
  for (const { process: child } of [server, peer]) pinToCore(child, serverCore);
  try {
    const rows: Row[] = [
      atMost(5_000, {
        what: 'start with 1,000,000 keys and 10,000,000 rows',
        unit: 'ms',
        ours: startMs,
        peer: { name: smallPeer, value: peerStartMs },
      }),
    ];
    rows.push(...(await readRows(server, 'dashboard/stats', '/dashboard/stats')));
    rows.push(...(await readRows(server, 'a month of usage by endpoint', '/usage/summary')));
    rows.push(...(await throughputRows(server, peer)));
    rows.push(...(await stallRows(server, peer)));
    rows.push(
      atMost(1_000, {
        what: 'memory after all of that (RSS)',
        unit: 'MB',
        ours: residentMb(server),
      }),
    );
    return rows;
  } finally {
    await Promise.all([server.stop(), peer.stop()]);
  }
}

async function startTimed(home: string) {
  const startedMs = performance.now();
  const server = await startServerProcess({ home, environment: watchedForStalls(home) });
  return { server, startMs: performance.now() - startedMs };
}

const stallsFile = (home: string): string => join(home, 'stalls.txt');

const watchedForStalls = (home: string) => ({
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'watch-event-loop.mjs'))}`,
  SANDGATE_BENCH_STALLS: stallsFile(home),
});

function readWhole(file: string): void {
  console.error('reading it once …');
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(8 * 1024 * 1024);
  while (readSync(descriptor, buffer) > 0);
  closeSync(descriptor);
}

/** The first call after the start, and the median of the ones that follow. */
async function readRows(
  server: ServerProcess,
  what: string,
  path: string,
): Promise<readonly Row[]> {
  const times: number[] = [];
  for (let index = 0; index <= reads; index += 1) {
    const startedMs = performance.now();
    const { status, text } = await callApi(server.address, 'GET', path, keyTextOf(1));
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    times.push(performance.now() - startedMs);
  }
  const [first = Number.NaN, ...others] = times;
  return [
    atMost(50, { what: `${what}, the first call`, unit: 'ms', ours: first }),
    atMost(50, { what, unit: 'ms', ours: median(others) }),
  ];
}

async function throughputRows(server: ServerProcess, peer: ServerProcess): Promise<readonly Row[]> {
  let calls = 0;
  /** Key 1 is the operator's, and the hot ones come next. */
  let coldest = 1 + hotKeys;
  const hot = (): number => 2 + (calls++ % (hotKeys - 1));
  const cold = (): number => {
    coldest += 1;
    if (coldest > large.keys) throw new Error('Every key has been used.');
    // Scattered over all keys: neighbours would share pages.
    return 1 + ((coldest * 611_953) % large.keys);
  };
  const contenders = {
    small: { server: peer, next: hot, rates: [] as number[] },
    hot: { server, next: hot, rates: [] as number[] },
    cold: { server, next: cold, rates: [] as number[] },
  };
  for (const [name, { server: loaded, next }] of Object.entries(contenders)) {
    console.error(`warm-up, ${name} …`);
    await loadFor(loaded, next, warmUpSeconds);
  }
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`throughput, round ${round} of ${rounds} …`);
    for (const { server: loaded, next, rates } of Object.values(contenders)) {
      const result = await loadFor(loaded, next, seconds);
      rates.push((result.calls * 1_000) / result.elapsedMs);
    }
  }
  const peerRate = { name: smallPeer, value: median(contenders.small.rates) };
  const row = { unit: 'calls/s', peer: peerRate } as const;
  return [
    atLeastTimes(0.9, {
      ...row,
      what: 'key check of as many hot keys, with 1,000,000 keys and 10,000,000 rows',
      ours: median(contenders.hot.rates),
    }),
    atLeastTimes(0.9, {
      ...row,
      what: 'the first use of each key, with the same',
      ours: median(contenders.cold.rates),
    }),
  ];
}

async function stallRows(server: ServerProcess, peer: ServerProcess): Promise<readonly Row[]> {
  const ours = await stallsUnderLoad(server);
  const theirs = await stallsUnderLoad(peer);
  const beside = `in ${sustainedSeconds} s of load beside roll-ups, pruning and checkpoints`;
  return [
    atMost(50, {
      what: `longest stall of the event loop ${beside}`,
      unit: 'ms',
      ours: ours.longestMs,
      peer: { name: smallPeer, value: theirs.longestMs },
    }),
    atMost(50, {
      what: 'slowest single request of those',
      unit: 'ms',
      ours: ours.slowestMs,
      peer: { name: smallPeer, value: theirs.slowestMs },
    }),
  ];
}

async function stallsUnderLoad(
  server: ServerProcess,
): Promise<{ readonly longestMs: number; readonly slowestMs: number }> {
  console.error(`${sustainedSeconds} seconds of load …`);
  const file = stallsFile(server.home);
  rmSync(file, { force: true });
  let calls = 0;
  const { slowestMs } = await loadFor(
    server,
    () => 2 + (calls++ % (hotKeys - 1)),
    sustainedSeconds,
  );
  const stalls = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  return { longestMs: Math.max(...stalls), slowestMs };
}

async function loadFor(
  server: ServerProcess,
  nextKeyNumber: () => number,
  forSeconds: number,
): Promise<LoadResult> {
  const untilMs = performance.now() + forSeconds * 1_000;
  const result = await runLoad({
    port: Number(new URL(server.address).port),
    path: '/api/v1/verify',
    connections,
    expectedStatus: 204,
    nextKey: () => (performance.now() < untilMs ? keyTextOf(nextKeyNumber()) : null),
  });
  if (result.unexpected > 0)
    throw new Error(`${result.unexpected} of ${result.calls} were refused`);
  return result;
}

/** In megabytes (10^6 bytes). */
function residentMb({ process: { pid } }: ServerProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / 1e6;
}
