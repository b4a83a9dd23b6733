import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AcceptedRing, limitWindows, takeFromRings } from '@sandgate/core';
import { callApi } from '../../tests/support/call-api.ts';
import { startServerProcess } from '../../tests/support/server-process.ts';
import { atMost, type Row } from '../row.ts';
import { median } from '../statistics.ts';

const callsAtOnce = 1_000;
const limit = 100;
const rounds = 15;
const stepsOfRound = 1_000_000;
const dayMs = 86_400_000;

export async function limitRows(): Promise<readonly Row[]> {
  return [await exactUnderLoad(), inMemory()];
}

/** So many calls at once, each on a connection of its own, and how many are accepted. */
async function exactUnderLoad(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-bench-limit-'));
  const server = await startServerProcess({ home: join(folder, 'home'), openFiles: 4_096 });
  try {
    const body = { name: 'bench', workspace: 'bench', limits: { minute: limit } };
    const made = await callApi(server.address, 'POST', '/api-keys', server.firstKey, body);
    const { key } = made.body;
    const answers = await Promise.all(
      Array.from({ length: callsAtOnce }, () => callApi(server.address, 'GET', '/verify', key)),
    );
    const accepted = answers.filter(({ status }) => status === 204).length;
    const refused = answers.filter(({ status }) => status === 429).length;
    return {
      what: `accepted of ${callsAtOnce} calls at once against ${limit} a minute`,
      unit: 'calls',
      ours: accepted,
      peer: null,
      target: `exactly ${limit}`,
      reached: accepted === limit && refused === callsAtOnce - limit,
    };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All windows checked and charged in one step, of a key that is in use. */
function inMemory(): Row {
  const windows = limitWindows({ minute: 1e9, hour: 1e9, day: 1e9, quota24h: null });
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const charged = [{ ring: new AcceptedRing(dayMs), windows }];
    const startedMs = performance.now();
    for (let step = 0; step < stepsOfRound; step += 1) takeFromRings(charged, step);
    times.push(((performance.now() - startedMs) * 1e6) / stepsOfRound);
  }
  return atMost(100, {
    what: 'limits in one atomic step, in memory, three windows',
    unit: 'ns',
    ours: median(times),
  });
}
