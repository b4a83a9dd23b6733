import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callApi } from '../support/call-api.ts';
import { type DocumentedRoute, documentedRoutes } from '../support/documented-routes.ts';
import { filesOf, originsOfKeysIn } from '../support/key-traces.ts';
import { absentTargets, routeSamples } from '../support/route-samples.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
const environment = { SANDGATE_LOG_LEVEL: 'trace' };
/** What must be nowhere, with what each is. */
const canaries = new Map<string, string>();
const answers: { readonly to: string; readonly status: number; readonly text: string }[] = [];
let server: ServerProcess;
let routes: readonly DocumentedRoute[];
let operator: string;

const holds = (content: Buffer | string): readonly string[] => originsOfKeysIn(content, canaries);

interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Sends anything, and keeps whatever comes, headers too. */
async function send(method: string, path: string, sending: Sending = {}): Promise<number> {
  const { headers = {}, body } = sending;
  const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const call = request(
      `${server.address}${path}`,
      {
        method,
        headers: {
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (response) => {
        let text = JSON.stringify(response.rawHeaders);
        response.on('data', (data: Buffer) => {
          text += data.toString('latin1');
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.once('error', reject);
    call.end(body);
  });
  answers.push({ to: `${method} ${path.replaceAll(/[0-9a-f]{40,}/g, '…')}`, ...answer });
  return answer.status;
}

async function makeKey(name: string, path = '/api-keys'): Promise<{ id: number; key: string }> {
  const { status, body } = await callApi(server.address, 'POST', path, operator, { name });
  expect([name, status]).toEqual([name, 200]);
  canaries.set(body.key, name);
  return body;
}

/** Every body that may carry a text where the route reads it, or where it cannot. */
function bodiesWith(key: string, route: DocumentedRoute): readonly string[] {
  const sample =
    routeSamples[route.operationId]?.({ ...absentTargets, workspace: 'team' }).body ?? {};
  const fields = ['name', 'description', 'subject', 'body', 'text', 'status', 'overlap'];
  const others = ['webhook_url', 'expires_in', 'expires_at', 'workspace', 'key'];
  return [
    ...[...fields, ...others].map((name) => JSON.stringify({ ...sample, [name]: key })),
    ...['scopes', 'ip_allow_list', 'disabled_types'].map((name) =>
      JSON.stringify({ ...sample, [name]: [key] }),
    ),
    JSON.stringify({ ...sample, [key]: key }),
    JSON.stringify({ ...sample, limits: { [key]: 1 } }),
    JSON.stringify({ ...sample, thresholds: { [key]: 1 } }),
    JSON.stringify({ ...sample, metadata: { note: [{ deep: key }] } }),
    JSON.stringify({ ...sample, metadata: { [key]: 1 } }),
    JSON.stringify({ ...sample, metadata: { [`${'long '.repeat(20)} ${key}`]: 1 } }),
    JSON.stringify({ ...sample, webhook_url: `https://hooks.example.com/?token=${key}` }),
    JSON.stringify({ ...sample, subject: `it says ${key}, why?`, text: `use ${key}.` }),
    JSON.stringify(key),
    `{"name":"${key}"`,
    key,
  ];
}

/** Puts a key into every place of a request that there is. */
async function putEverywhere(key: string, route: DocumentedRoute, right: string): Promise<void> {
  const template = route.path;
  const path = template.replace('{id}', '999999');
  const bearer = { 'x-api-key': right };
  for (const name of [
    'authorization',
    'proxy-authorization',
    'x-brimble-key',
    'cookie',
    'x-workspace-id',
    'x-request-id',
    'user-agent',
    'referer',
    'accept',
  ]) {
    await send(route.method, path, { headers: { [name]: key } });
    await send(route.method, path, { headers: { ...bearer, [name]: key } });
  }
  const typed = { 'content-type': `${key}/json` };
  await send(route.method, path, { headers: { ...bearer, ...typed } });
  for (const target of [
    `${path}?key=${key}`,
    `${path}?${key}=1&${key}=2`,
    `${path}?workspace=${key}`,
    `${path}?q=${key}&state=${key}&from=${key}&cursor=${key}&format=${key}`,
    `${path}?endpoint=${key}&action=${key}&type=${key}&scope=${key}`,
    template.replace(/\{\w+\}/g, key),
    `${path}/${key}`,
  ]) {
    await send(route.method, target, { headers: bearer });
    await send(route.method, target);
  }
  if (!route.hasBody) return;
  for (const body of bodiesWith(key, route)) {
    await send(route.method, path, { headers: bearer, body });
    await send(route.method, path, { body });
  }
}

/** Makes the handlers fail in ways that nobody foresaw: a table is not there while it runs. */
async function withoutTable(table: string, run: () => Promise<void>): Promise<void> {
  const rename = (from: string, to: string): void => {
    const database = new DatabaseSync(join(home, 'sandgate.db'), { timeout: 5_000 });
    database.exec(`pragma legacy_alter_table = on; alter table ${from} rename to ${to}`);
    database.close();
  };
  rename(table, `${table}_away`);
  try {
    await run();
  } finally {
    rename(`${table}_away`, table);
  }
}

beforeAll(async () => {
  server = await startServerProcess({ home, environment });
  operator = server.firstKey;
  canaries.set(operator, 'operator');
  const { body } = await callApi(server.address, 'GET', '/openapi.json', null);
  routes = documentedRoutes(body.paths);

  const live = await makeKey('live');
  await makeKey('child', `/api-keys/${live.id}/children`);
  const dead = await makeKey('dead');
  await callApi(server.address, 'DELETE', `/api-keys/${dead.id}`, operator);
  const rotated = await callApi(server.address, 'POST', `/api-keys/${live.id}/rotate`, operator, {
    overlap: '1h',
  });
  canaries.set(rotated.body.key, 'rotated');

  for (const route of routes) {
    // Leaks are reported below: to put a living key there would end it.
    if (route.access === 'public') continue;
    await putEverywhere(live.key, route, operator);
  }
  for (const key of canaries.keys()) {
    for (const { method, path } of routes) {
      if (key === operator && method !== 'GET') continue;
      await send(method, path.replace('{id}', '999999'), { headers: { 'x-api-key': `${key} ` } });
    }
  }

  const settings = await callApi(server.address, 'PUT', '/alerts/settings', operator, {
    workspace: 'default',
    webhook_url: 'https://hooks.example.com/sandgate',
  });
  canaries.set(settings.body.webhook_secret, 'webhook secret');

  // What it and its child have sent so far has used their limits up.
  await callApi(server.address, 'PUT', `/api-keys/${live.id}`, operator, {
    limits: { minute: null, hour: null, day: null },
  });
  for (const [table, expected] of [
    ['tickets', '/api/v1/tickets'],
    ['api_key_secrets', '/api/v1/verify'],
  ] as const) {
    await withoutTable(table, async () => {
      const method = table === 'tickets' ? 'POST' : 'GET';
      const sending = {
        headers: { 'x-api-key': live.key, 'user-agent': live.key, referer: live.key },
        body: method === 'POST' ? JSON.stringify({ subject: 'crash' }) : undefined,
      };
      const status = await send(method, `${expected}?`, sending);
      expect([table, status >= 500]).toEqual([table, true]);
      await send('POST', '/api/v1/leaked-keys', { body: JSON.stringify({ key: live.key }) });
      await send('POST', '/api/v1/rpc', {
        headers: { authorization: `Bearer ${live.key}` },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: live.key }),
      });
    });
  }

  for (const text of [live.key, `found: ${live.key}`, dead.key, live.key.toUpperCase()]) {
    const status = await send('POST', '/api/v1/leaked-keys', {
      body: JSON.stringify({ key: text }),
      headers: { cookie: text, referer: text },
    });
    expect(status).toBe(204);
  }
  await send('POST', '/api/v1/leaked-keys', { body: `{"key":"${live.key}` });
  await send('POST', '/api/v1/leaked-keys', { body: JSON.stringify({ [live.key]: 1 }) });
  expect(await send('GET', '/api/v1/verify', { headers: { 'x-api-key': live.key } })).not.toBe(204);

  for (const path of ['api-keys?size=100&state=all', 'usage?size=1000', 'usage?format=csv']) {
    await send('GET', `/api/v1/${path}`, { headers: { 'x-api-key': operator } });
  }
  for (const path of ['audit?size=1000', 'alerts', 'tickets', 'alerts/settings', 'me']) {
    await send('GET', `/api/v1/${path}`, { headers: { 'x-api-key': operator } });
  }
}, 120_000);
afterAll(async () => await server?.kill());

const filesWithCanaries = (): readonly unknown[] =>
  filesOf(home)
    .map((path) => ({ path: path.slice(home.length + 1), holds: holds(readFileSync(path)) }))
    .filter((file) => file.holds.length > 0);

describe('the text of a key, sent to every route in every place', () => {
  it('was sent, and reached the handlers', () => {
    expect([...canaries.values()]).toEqual([
      'operator',
      'live',
      'child',
      'dead',
      'rotated',
      'webhook secret',
    ]);
    expect(answers.length).toBeGreaterThan(1_500);
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses]).toEqual(expect.arrayContaining([200, 204, 400, 401, 404, 415, 429]));
    expect(answers.filter(({ status }) => status >= 500).length).toBeGreaterThanOrEqual(2);
  });

  it('is looked for: where it is, it is found', () => {
    const [key = ''] = canaries.keys();
    expect(holds(`… ${key} …`)).toEqual(['operator']);
    expect(holds(Buffer.from(key.slice(4, 44), 'hex'))).toEqual(['operator']);
  });

  it('is in no answer', () => {
    const found = answers.filter(({ text }) => holds(text).length > 0);
    expect(found.map(({ to, status, text }) => [to, status, text.slice(-300)])).toEqual([]);
  });

  it('is in no file, page or log while the server runs', () => {
    const names = filesOf(home).map((path) => path.slice(home.length + 1));
    expect(names).toEqual(expect.arrayContaining(['sandgate.db', 'sandgate.db-wal']));
    expect(filesWithCanaries()).toEqual([]);
  });

  it('is in no file that a killed server leaves, nor in one that has stopped', async () => {
    await server.kill();
    expect(filesWithCanaries()).toEqual([]);
    expect(holds(server.output().replaceAll(operator, ''))).toEqual([]);
    server = await startServerProcess({ home, environment });
    await server.stop();
    expect(holds(server.output())).toEqual([]);
    expect(filesWithCanaries()).toEqual([]);
  });
});
