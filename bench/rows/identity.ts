import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../tests/support/call-api.ts';
import { startServerProcess } from '../../tests/support/server-process.ts';
import { type Load, load } from '../load.ts';
import { pinToCore, serverCore } from '../pinned-process.ts';
import { atLeastTimes, atMost, type Row } from '../row.ts';
import { median } from '../statistics.ts';

const rounds = 5;
const seconds = 3;
const warmUpSeconds = 2;
const logins = 25;
/** More than all rounds together ask for. */
const limit = 1_000_000;
const limits = { minute: limit, hour: limit, day: limit };

const person = { email: 'you@example.com', password: 'correct horse battery' };

/** A login as people do it, and an access token beside a key in the same call. */
export async function identity(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-bench-identity-'));
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  const config = { plans: { standard: { requests: limits } } };
  writeFileSync(join(home, 'config.json'), JSON.stringify(config));
  const server = await startServerProcess({ home });
  pinToCore(server.process, serverCore);
  try {
    const [, setupToken = ''] = /(setup_[0-9a-f]{40})/.exec(server.output()) ?? [];
    await post(`${server.address}/auth/setup`, { ...person, token: setupToken });
    const times: number[] = [];
    let token = '';
    for (let login = 0; login < logins; login += 1) {
      const startedMs = performance.now();
      token = await logIn(server.address);
      times.push(performance.now() - startedMs);
    }
    const body = { name: 'bench', workspace: 'default', limits };
    const made = await callApi(server.address, 'POST', '/api-keys', server.firstKey, body);
    const url = `${server.address}/api/v1/verify`;
    const callers = [
      { key: token, loads: [] as Load[] },
      { key: made.body.key as string, loads: [] as Load[] },
    ];
    for (const { key } of callers) await load(url, { key, seconds: warmUpSeconds });
    for (let round = 0; round < rounds; round += 1) {
      for (const { key, loads } of callers) loads.push(await load(url, { key, seconds }));
    }
    const [byToken = 0, byKey = 0] = callers.map(({ loads }) =>
      median(loads.map(({ perSecond }) => perSecond)),
    );
    return [
      atMost(150, { what: 'login with a password', unit: 'ms', ours: median(times) }),
      atLeastTimes(0.8, {
        what: 'call with an access token, 3 windows, usage committed',
        unit: 'calls/s',
        ours: byToken,
        peer: { name: 'the same with a key', value: byKey },
      }),
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function logIn(address: string): Promise<string> {
  const { email: username, password } = person;
  const { tokens } = await post(`${address}/auth/login`, { username, password });
  return tokens.access_token;
}

async function post(url: string, body: object): Promise<ReturnType<typeof JSON.parse>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}
