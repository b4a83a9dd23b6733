import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../tests/support/call-api.ts';
import { type ServerProcess, startServerProcess } from '../../tests/support/server-process.ts';
import { type Load, load } from '../load.ts';
import { pinToCore, serverCore, startPeer } from '../pinned-process.ts';
import { atLeastTimes, atMost, type Row } from '../row.ts';
import { median } from '../statistics.ts';

const rounds = 5;
const seconds = 4;
const warmUpSeconds = 3;
/** The most that a window may be set to: more than all rounds together ask for. */
const largestLimit = 1_000_000;
const limits = { minute: largestLimit, hour: largestLimit, day: largestLimit };

/** One of the servers that are held against each other, in turn and in the same minute. */
interface Contender {
  readonly url: string;
  readonly key: string | null;
  readonly loads: Load[];
}

/** A key check with three windows and its usage row committed, beside what peers do in its place. */
export async function keyCheck(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-bench-keys-'));
  const server = await startServerProcess({ home: join(folder, 'home') });
  pinToCore(server.process, serverCore);
  const bare = await startPeer('bare-server');
  const betterAuth = await startPeer('better-auth-server', [join(folder, 'better-auth.db')]);
  try {
    const { id, key } = await makeKey(server);
    const ours: Contender = { url: `${server.address}/api/v1/verify`, key, loads: [] };
    const floor: Contender = { url: bare.address, key: null, loads: [] };
    const peer: Contender = { url: betterAuth.address, key: betterAuth.key, loads: [] };
    const contenders = [floor, ours, peer];
    let answers = 0;
    for (const { url, key } of contenders) {
      const warmUp = await load(url, { key, seconds: warmUpSeconds });
      if (url === ours.url) answers = warmUp.answers;
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { url, key, loads } of contenders) loads.push(await load(url, { key, seconds }));
    }
    answers += ours.loads.reduce((sum, each) => sum + each.answers, 0);
    await requireRecorded(server, id, answers);
    return rowsOf(ours, floor, peer);
  } finally {
    await Promise.all([server.stop(), bare.stop(), betterAuth.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeKey(
  server: ServerProcess,
): Promise<{ readonly id: number; readonly key: string }> {
  const body = { name: 'bench', workspace: 'bench', limits };
  const made = await callApi(server.address, 'POST', '/api-keys', server.firstKey, body);
  if (made.status !== 200) throw new Error(`No key was made: ${made.text}`);
  const { id, key } = made.body;
  return { id, key };
}

/** Every answer that was counted has its row in the database; those under way at an end may have one. */
async function requireRecorded(server: ServerProcess, id: number, answers: number): Promise<void> {
  const { body } = await callApi(server.address, 'GET', `/api-keys/${id}`, server.firstKey);
  const recorded: number = body.usage_count;
  if (recorded < answers) throw new Error(`${answers} answers, and ${recorded} usage rows`);
}

function rowsOf(ours: Contender, floor: Contender, peer: Contender): readonly Row[] {
  const perSecond = ({ loads }: Contender): number => median(loads.map((each) => each.perSecond));
  const row = {
    what: 'key check, 3 windows, usage committed, over HTTP',
    unit: 'calls/s',
    ours: perSecond(ours),
  } as const;
  return [
    atLeastTimes(15, {
      ...row,
      peer: { name: 'better-auth verifyApiKey', value: perSecond(peer) },
    }),
    atLeastTimes(0.6, { ...row, peer: { name: 'bare node:http', value: perSecond(floor) } }),
    atMost(10, {
      what: 'the same, 99th percentile of the time to an answer',
      unit: 'ms',
      ours: median(ours.loads.map(({ p99Ms }) => p99Ms)),
    }),
  ];
}
