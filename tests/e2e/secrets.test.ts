import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, originsOfKeysIn } from '../support/key-traces.ts';
import { runMsb, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
const environment = { SANDGATE_LOG_LEVEL: 'trace' };
/** Every key text that there was, with where it came from. */
const keys = new Map<string, string>();
/** Answers and outputs of which none may hold a key, but its own first showing. */
const answers: string[] = [];
const showings: string[] = [];
let server: ServerProcess;

const keyPattern = /msb_[0-9a-f]{48}/g;

const holds = (content: Buffer | string): readonly string[] => originsOfKeysIn(content, keys);

/** Runs `msb`, and remembers the keys that it shows by right. */
async function msb(origin: string | null, ...commandLine: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runMsb(commandLine, { home, environment });
  if (origin === null) answers.push(stdout + stderr);
  else {
    for (const key of (stdout + stderr).match(keyPattern) ?? []) keys.set(key, origin);
    showings.push(stdout + stderr);
  }
  return stdout;
}

/** Sends anything, and takes whatever comes. */
async function send(options: {
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly body?: string;
  readonly method?: string;
}): Promise<{ readonly status: number; readonly text: string }> {
  const { headers = {}, path = '/api/v1/rpc', method = 'POST' } = options;
  const body =
    options.body ?? '{"jsonrpc":"2.0","id":1,"method":"sandbox.metrics.get","params":{}}';
  const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const call = request(
      `${server.address}${path}`,
      { method, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = JSON.stringify(response.rawHeaders);
        response.on('data', (data: Buffer) => {
          text += data.toString('latin1');
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.once('error', reject);
    call.end(method === 'GET' ? undefined : body);
  });
  answers.push(answer.text);
  return answer;
}

const call = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

/** Puts a key into every place of a request that there is. */
async function useEverywhere(key: string): Promise<void> {
  const bearer = { authorization: `Bearer ${key}` };
  const wrong = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
  for (const text of [key, wrong, `${key} `, key.toUpperCase(), key.slice(0, 30)]) {
    for (const name of [
      'authorization',
      'proxy-authorization',
      'x-api-key',
      'x-brimble-key',
      'cookie',
      'x-request-id',
      'user-agent',
      'referer',
      'x-forwarded-for',
      'traceparent',
    ]) {
      await send({ headers: { [name]: text } });
      await send({ headers: { [name]: `Bearer ${text}` } });
    }
  }
  await send({
    headers: { authorization: `Basic ${Buffer.from(`user:${key}`).toString('base64')}` },
  });
  await send({ headers: { ...bearer, 'proxy-authorization': wrong } });
  for (const path of [
    `/api/v1/rpc?key=${key}`,
    `/api/v1/${key}`,
    `/api/v1/health?api_key=${key}`,
    `/${key}/../api/v1/rpc`,
  ]) {
    await send({ path, headers: bearer });
    await send({ path, method: 'GET' });
  }
  const bodies = [
    `{"jsonrpc":"2.0","id":1,"method":"sandbox.start","params":{"key":"${key}"`,
    `"${key}"`,
    call(key, {}),
    call('sandbox.start', { sandbox: key }),
    call('sandbox.start', { sandbox: `${key}/x` }),
    call('sandbox.start', { sandbox: 'a', namespace: key }),
    call('sandbox.start', { sandbox: 'a', namespace: `../${key}` }),
    call('sandbox.start', { sandbox: 'a', [key]: 1 }),
    call('sandbox.start', { sandbox: 'a', config: { image: key } }),
    call('sandbox.start', { sandbox: 'a', config: { workdir: key } }),
    call('sandbox.start', { sandbox: 'a', config: { [key]: key } }),
    call('sandbox.start', { sandbox: 'a', config: { volumes: [`/${key}:/data`] } }),
    call('sandbox.start', { sandbox: 'a', config: { scripts: { [`../${key}`]: '' } } }),
    call('sandbox.repl.run', { sandbox: 'used', language: key, code: '1' }),
    call('sandbox.command.run', { sandbox: 'used', command: key }),
    call('sandbox.command.run', { sandbox: key, command: 'true' }),
    `{"jsonrpc":"2.0","id":"${key}","method":"none"}`,
  ];
  for (const body of bodies) {
    await send({ body });
    await send({ body, headers: { authorization: wrong } });
  }
  // A client's own words come back to it; what stays on the server is looked at below.
  for (const body of bodies) {
    const known = answers.length;
    await send({ body, headers: bearer });
    answers.length = known;
  }
}

beforeAll(async () => {
  server = await startServerProcess({ home, environment });
  keys.set(server.firstKey, 'first key');
  await msb('keygen', 'server', 'keygen');
  await msb('scoped', 'server', 'keygen', '--namespace', 'team', '--expire', '1h');
  const list = JSON.parse(await msb(null, 'server', 'keys', 'list', '--json'));
  await msb('rotated', 'server', 'keys', 'rotate', String(list.at(-1).number));
  const bearer = { authorization: `Bearer ${server.firstKey}` };
  await send({ headers: bearer, body: call('sandbox.start', { sandbox: 'used' }) });
  await send({
    headers: bearer,
    body: call('sandbox.command.run', { sandbox: 'used', command: 'env' }),
  });
  await send({
    headers: bearer,
    body: call('sandbox.repl.run', {
      sandbox: 'used',
      language: 'python',
      code: 'raise Exception(1)',
    }),
  });
  for (const key of [...keys.keys()]) {
    await useEverywhere(key);
    for (const command of ['show', 'revoke', 'disable']) {
      await msb(null, 'server', 'keys', command, key);
    }
  }
  await msb(null, 'server', 'status', '--json');
  await msb(null, 'server', 'keys', 'list', '--all');
  await server.kill();
  server = await startServerProcess({ home, environment });
  answers.push(server.output());
  for (const key of [...keys.keys()]) await send({ headers: { authorization: key } });
}, 120_000);
afterAll(async () => await server?.stop());

const expectNoKeyInFiles = (): void => {
  const files = filesOf(home);
  expect(files.map((path) => path.slice(home.length + 1))).toEqual(
    expect.arrayContaining(['sandgate.db', 'server.key']),
  );
  expect(files.filter((path) => holds(readFileSync(path)).length > 0)).toEqual([]);
};

describe('the text of a key', () => {
  it('is looked for: four were made, and where one is it is found', () => {
    expect([...keys.values()]).toEqual(['first key', 'keygen', 'scoped', 'rotated']);
    expect(showings.flatMap((text) => holds(text))).toEqual(['keygen', 'scoped', 'rotated']);
    expect(answers.length).toBeGreaterThan(400);
  });

  it('is in no file of the home while the server runs', () => expectNoKeyInFiles());

  it('is in the trace log as nothing but a mark that something was left out', () => {
    const logs = filesOf(join(home, 'logs')).map((path) => readFileSync(path, 'utf8'));
    expect(logs.join('').length).toBeGreaterThan(100);
    expect(logs.flatMap((text) => holds(text))).toEqual([]);
  });

  it('is in no answer to somebody who has not shown it is valid, and in no output of msb', () => {
    const found = answers.map((text) => ({ text: text.slice(0, 300), holds: holds(text) }));
    expect(found.filter((answer) => answer.holds.length > 0)).toEqual([]);
  });

  it('is not shown again when the server starts again', () => {
    expect(server.firstKey).toBe('');
    expect(holds(server.output())).toEqual([]);
  });

  it('is in the arguments and the environment of no process', () => {
    const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
    const found = processes.flatMap((pid) =>
      ['cmdline', 'environ'].flatMap((name) => {
        try {
          return holds(readFileSync(`/proc/${pid}/${name}`)).map((origin) => [name, origin]);
        } catch {
          return [];
        }
      }),
    );
    expect(found).toEqual([]);
  });

  it('is not what the database keeps in its place: of a key it has a digest and four digits', () => {
    const dump = execFileSync(
      '/usr/bin/python3',
      [
        '-c',
        `
import sqlite3, sys
base = sqlite3.connect('file:%s?mode=ro' % sys.argv[1], uri=True)
for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
    for row in base.execute('select * from "%s"' % table): print(table, row)`,
        join(home, 'sandgate.db'),
      ],
      { encoding: 'utf8' },
    );
    expect(holds(dump)).toEqual([]);
    // The one that was rotated away has left its place to the next.
    const current = [...keys].filter(([, origin]) => origin !== 'scoped');
    for (const [key] of current) expect(dump).toContain(key.slice(-4));
  });
});

describe('the server key', () => {
  it('is in its file, and nowhere else', () => {
    const serverKey = readFileSync(join(home, 'server.key'), 'latin1').trim();
    expect(serverKey.length).toBeGreaterThan(30);
    const with_ = (text: string) => text.includes(serverKey);
    expect(filesOf(home).filter((path) => with_(readFileSync(path, 'latin1')))).toEqual([
      join(home, 'server.key'),
    ]);
    expect(answers.filter(with_)).toEqual([]);
    expect(with_(server.output())).toBe(false);
    const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
    const holders = processes.filter((pid) =>
      ['cmdline', 'environ'].some((name) => {
        try {
          return with_(readFileSync(`/proc/${pid}/${name}`, 'latin1'));
        } catch {
          return false;
        }
      }),
    );
    expect(holders).toEqual([]);
  });
});

it('leaves no key in any file after the server has stopped', async () => {
  expect(await server.stop()).toBe(0);
  answers.push(server.output());
  expectNoKeyInFiles();
});
