import { pino } from 'pino';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { warmUp } from '../../packages/server/src/http/warm-up.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let operator: string;
let alpha: { text: string; id: number };
let beta: { text: string; id: number };

const issued = async (namespace: string) => {
  const { key, text } = await test.issue({ namespace, name: `key of ${namespace}` });
  return { text, id: key.number };
};

beforeAll(async () => {
  test = await createTestApp(folder);
  operator = (await test.issue()).text;
  alpha = await issued('team-alpha');
  beta = await issued('team-beta');
  await test.api('GET', '/api-keys', alpha.text);
  await test.api('GET', `/api-keys/${beta.id}`, alpha.text);
  await test.api('GET', '/api-keys?size=0', alpha.text);
  await test.api('GET', '/api-keys', beta.text);
});

describe('GET /api/v1/me', () => {
  it('says who the key is, what it may do, and what is left of its limits', async () => {
    const made = await test.api('POST', '/api-keys', alpha.text, {
      name: 'limited',
      scopes: ['mcp:call'],
      limits: { minute: 3, quota_24h: 10 },
    });
    const { status, body, text } = await test.api('GET', '/me', made.body.key);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      api_key: { id: made.body.id, name: 'limited' },
      workspace: { slug: 'team-alpha', plan: 'standard' },
      scopes: ['mcp:call'],
      limits: [
        { name: 'minute', limit: 3, remaining: 2, window_seconds: 60, reset_after_seconds: 60 },
        { name: 'quota_24h', limit: 10, remaining: 9, window_seconds: 86_400 },
      ],
    });
    expect(text).not.toContain(made.body.key);
  });

  it('of a key of all workspaces names none', async () => {
    const { body } = await test.api('GET', '/me', operator);
    expect(body).toMatchObject({ workspace: null, scopes: ['*'], limits: [] });
  });

  it('is refused with the documented words over a limit, with the time to wait', async () => {
    const { body } = await test.api('POST', '/api-keys', alpha.text, {
      name: 'limited',
      limits: { minute: 1 },
    });
    await test.api('GET', '/me', body.key);
    const refused = await test.api('GET', '/me', body.key);
    expect([refused.status, refused.body]).toEqual([
      429,
      { detail: 'Rate limit exceeded for minute. Try again in 60 seconds' },
    ]);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(refused.headers.get('x-ratelimit-limit')).toBe('1');
    expect(refused.headers.get('x-ratelimit-minute-remaining')).toBe('0');
  });
});

describe('the credential', () => {
  it('may come in X-API-Key or as a bearer token', async () => {
    const bearer = { authorization: `Bearer ${alpha.text}` };
    expect((await test.api('GET', '/me', null, undefined, bearer)).status).toBe(200);
    expect((await test.api('GET', '/me', alpha.text, undefined, bearer)).status).toBe(200);
    const two = await test.api('GET', '/me', beta.text, undefined, bearer);
    expect([two.status, two.headers.get('x-error-code')]).toEqual([400, 'credential_ambiguous']);
  });

  it.each([
    [null, 'Missing API key'],
    ['', 'Missing API key'],
    ['nonsense', 'Invalid API key'],
    [`msb_${'0'.repeat(48)}`, 'Invalid API key'],
  ])('%j is answered 401 with the documented words', async (key, detail) => {
    const { status, body, headers } = await test.api('GET', '/me', key);
    expect([status, body]).toEqual([401, { detail }]);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });

  it('in a query or a body is none', async () => {
    expect((await test.api('GET', `/me?api_key=${alpha.text}`, null)).status).toBe(401);
    expect((await test.api('POST', '/api-keys', null, { key: alpha.text })).status).toBe(401);
  });
});

describe('GET /api/v1/usage', () => {
  it('lists the rows of the own workspace alone, newest first', async () => {
    const { status, body } = await test.api('GET', `/usage?key=${alpha.id}&size=1000`, alpha.text);
    expect(status).toBe(200);
    const [earliest] = body.usage.slice(-1);
    expect(earliest).toMatchObject({
      endpoint: '/api/v1/api-keys',
      method: 'GET',
      status_code: 200,
      api_key_id: alpha.id,
      accepted: true,
      error: null,
    });
    expect(body.usage.at(-2)).toMatchObject({
      endpoint: '/api/v1/api-keys/{id}',
      status_code: 404,
      error: 'key_not_found',
    });
    expect(body.usage.at(-3)).toMatchObject({ status_code: 400, error: 'invalid_request' });
    const keys = new Set(body.usage.map((row: { api_key_id: number }) => row.api_key_id));
    expect([...keys]).toEqual([alpha.id]);
    expect((await test.api('GET', `/usage?key=${beta.id}`, alpha.text)).status).toBe(404);
    const all = (await test.api('GET', '/usage?size=1000', alpha.text)).body.usage;
    expect(all.some((row: { api_key_id: number }) => row.api_key_id === beta.id)).toBe(false);
    const every = (await test.api('GET', '/usage?size=1000', operator)).body.usage;
    expect(every.some((row: { api_key_id: number }) => row.api_key_id === beta.id)).toBe(true);
  });

  it('filters by endpoint, status and time, and pages', async () => {
    const count = async (query: string) =>
      (await test.api('GET', `/usage?key=${alpha.id}&size=1000&${query}`, alpha.text)).body.usage
        .length;
    expect(await count(`endpoint=${encodeURIComponent('/api/v1/api-keys/{id}')}`)).toBe(1);
    expect(await count('status=404')).toBe(2);
    expect(await count('status=5xx')).toBe(0);
    expect(await count('to=2001-01-01T00:00:00Z')).toBe(0);
    expect(await count('from=2001-01-01T00:00:00Z')).toBeGreaterThan(5);
    const first = await test.api('GET', '/usage?size=2', alpha.text);
    const second = await test.api(
      'GET',
      `/usage?size=2&cursor=${first.body.next_cursor}`,
      alpha.text,
    );
    expect(second.body.usage[0].id).toBeLessThan(first.body.usage[1].id);
  });

  it.each(['format=xml', 'status=6xx', 'from=yesterday', 'size=1001', 'keys=1'])(
    'refuses ?%s',
    async (query) => {
      expect((await test.api('GET', `/usage?${query}`, alpha.text)).status).toBe(400);
    },
  );

  it('comes as CSV by Accept or by format, whole', async () => {
    const byFormat = await test.api('GET', `/usage?format=csv&key=${beta.id}`, beta.text);
    expect(byFormat.headers.get('content-type')).toContain('text/csv');
    const [head, ...rows] = byFormat.text.trimEnd().split('\r\n');
    expect(head).toBe(
      'id,endpoint,method,status_code,response_time,created_at,api_key_id,request_id,accepted,error,sandbox_id,user_id',
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(/^\d+,\/api\/v1\/api-keys,GET,200,[\d.]+,20/);
    const accept = { accept: 'text/csv' };
    const byAccept = await test.api('GET', '/usage', beta.text, undefined, accept);
    expect(byAccept.text.startsWith(`${head}\r\n`)).toBe(true);
  });

  it('gives more than one page of CSV', async () => {
    const own = await createTestApp(folder);
    const { key, text } = await own.issue({ namespace: 'many' });
    const row = {
      keyNumber: key.number,
      workspaceId: key.workspaceId,
      requestId: 'r',
      method: 'GET',
      endpoint: '/x',
      status: 200,
      accepted: true,
      errorCode: null,
      durationMs: 1,
      atMs: own.clock.currentMs,
      sandboxId: null,
    };
    await own.storage.usage.write({ begun: Array(2_500).fill(row), ended: [] });
    const csv = await own.api('GET', '/usage?format=csv', text);
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(2_501);
  });
});

describe('GET /api/v1/dashboard/stats', () => {
  it('answers the documented fields out of what is stored', async () => {
    const own = await createTestApp(folder);
    const { key, text } = await own.issue({ namespace: 'stats', name: 'My API Key' });
    await own.issue({ namespace: 'elsewhere' });
    const empty = await own.api('GET', '/dashboard/stats', text);
    expect(empty.body.api_usage).toEqual({ success_rate: 0, avg_response_time: 0 });
    await own.api('GET', '/api-keys', text);
    await own.api('GET', '/api-keys/999', text);
    await own.api('GET', '/api-keys', text);
    const ticket = {
      workspaceId: key.workspaceId,
      body: '',
      openedBy: { kind: 'server' },
    } as const;
    for (let index = 1; index <= 6; index += 1) {
      const subject = `Subject ${index}`;
      await own.storage.tickets.create({ ...ticket, subject, createdAtMs: own.clock.currentMs });
    }
    await own.storage.tickets.setStatus(key.workspaceId ?? '', 1, 'resolved', 5);
    const { status, body } = await own.api('GET', '/dashboard/stats', text);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      open_tickets: 5,
      resolved_tickets: 1,
      active_api_keys: 1,
      total_api_calls: 4,
      api_usage: { success_rate: 75, avg_response_time: expect.any(Number) },
      api_keys: [
        { id: key.number, name: 'My API Key', is_active: true, usage_count: expect.any(Number) },
      ],
    });
    expect(body.recent_tickets.map(({ id }: { id: number }) => id)).toEqual([6, 5, 4, 3, 2]);
    expect(body.recent_tickets[0]).toEqual({
      id: 6,
      subject: 'Subject 6',
      status: 'open',
      created_at: '2027-01-15T08:00:00Z',
    });
  });
});

describe('POST /api/v1/leaked-keys', () => {
  it('revokes a real key, and always gives the same empty answer', async () => {
    const { key, text } = await test.issue({ namespace: 'team-alpha' });
    const seen = new Set<string>();
    const report = async (leaked: string) => {
      const {
        status,
        text: body,
        headers,
      } = await test.api('POST', '/leaked-keys', null, {
        key: leaked,
      });
      const names = [...headers].filter(([name]) => name !== 'x-request-id');
      seen.add(JSON.stringify([status, body, names]));
      expect([status, body]).toEqual([204, '']);
    };
    await report(`export MSB_API_KEY=${text} # oops`);
    expect((await test.api('GET', '/me', text)).status).toBe(401);
    expect(await test.storage.keys.findById(key.id)).toMatchObject({
      revokedAtMs: test.clock.currentMs,
    });
    await report(text);
    await report(`msb_${'0'.repeat(48)}`);
    await report('nothing of ours');
    expect(seen.size).toBe(1);
  });

  it('leaves a key alone whose old text is reported after its overlap', async () => {
    const { key, text } = await test.issue({ namespace: 'team-alpha' });
    const path = `/api-keys/${key.number}/rotate`;
    const { body } = await test.api('POST', path, operator, { overlap: '30s' });
    test.clock.currentMs += 30_000;
    await test.api('POST', '/leaked-keys', null, { key: text });
    expect((await test.api('GET', '/me', body.key)).status).toBe(200);
  });

  it('refuses what is no report, and a flood of reports', async () => {
    expect((await test.api('POST', '/leaked-keys', null, {})).status).toBe(400);
    const answers = await Promise.all(
      Array.from({ length: 80 }, () => test.api('POST', '/leaked-keys', null, { key: 'x' })),
    );
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answers.every(({ status }) => [204, 429].includes(status))).toBe(true);
  });

  it('has a published pattern that finds every kind of key', async () => {
    const response = await test.app.request('/.well-known/secret-scanning');
    const { patterns } = (await response.json()) as { patterns: { pattern: string }[] };
    const pattern = new RegExp(patterns[0]?.pattern ?? '^$');
    for (const prefix of ['msb_', 'bk_', 'mbx_'] as const) {
      const { text } = await test.issue({ prefix });
      expect(pattern.exec(`token="${text}",`)?.[0]).toBe(text);
    }
  });
});

describe('everything else under /api/v1', () => {
  it.each([
    ['GET', '/nothing', 404, null],
    ['GET', '/api-keys/1/nothing', 404, null],
    ['PUT', '/api-keys', 405, 'POST, GET, HEAD'],
    ['POST', '/api-keys/1', 405, 'GET, PUT, DELETE, HEAD'],
  ] as const)('%s %s is %i', async (method, path, status, allow) => {
    const { status: got, body, headers } = await test.api(method, path, alpha.text);
    expect([got, Object.keys(body)]).toEqual([status, ['detail']]);
    expect(headers.get('allow')).toBe(allow);
  });

  it('leaves the other door its own addresses', async () => {
    expect((await test.api('GET', '/health', null)).body).toEqual({
      message: 'Service is healthy',
    });
    expect((await test.call('sandbox.metrics.get', {}, alpha.text)).status).toBe(200);
  });
});

it('development mode asks for no key, and may do everything', async () => {
  const open = await createTestApp(folder, { developmentMode: true });
  const local = { host: '127.0.0.1:5555' };
  const { status, body } = await open.api('POST', '/api-keys', null, { name: 'a' }, local);
  expect([status, body.workspace]).toEqual([200, 'default']);
  expect((await open.api('GET', '/me', null, undefined, local)).body.api_key).toBeNull();
});

it('writes every change into the audit, with who, what and where, and no key', async () => {
  const own = await createTestApp(folder);
  const { key, text } = await own.issue({ namespace: 'audited' });
  const made = (await own.api('POST', '/api-keys', text, { name: 'a' })).body;
  const path = `/api-keys/${made.id}`;
  await own.api('PUT', path, text, { name: 'b', is_active: false });
  await own.api('POST', `${path}/rotate`, text, {});
  await own.api('DELETE', path, text);
  await own.api('DELETE', path, text);
  const listed = await own.storage.audit.list({}, { limit: 100 });
  const entries = listed.entries.filter(({ action }) => action !== 'test.setup');
  const target = `key:${made.id}`;
  const actor = { kind: 'key', keyNumber: key.number };
  const done = { actor, target, outcome: 'done', workspaceId: key.workspaceId };
  expect(entries.toReversed()).toMatchObject([
    { ...done, action: 'key.issue' },
    { ...done, action: 'key.update', details: { fields: 'name, is_active' } },
    { ...done, action: 'key.rotate' },
    { ...done, action: 'key.revoke' },
    { actor, action: 'key.revoke', outcome: 'failed', details: { code: 'key_not_found' } },
  ]);
  expect(JSON.stringify(entries)).not.toMatch(/msb_[0-9a-f]{48}/);
});

describe('GET /api/v1/usage/summary', () => {
  const summary = async (query: string, key = alpha.text) =>
    await test.api('GET', `/usage/summary${query}`, key);

  it('sums by endpoint, and by day or hour, what the key reaches and no more', async () => {
    const own = (await summary('')).body.usage;
    const listed = own.find(
      (sum: { endpoint: string; method: string }) =>
        sum.endpoint === '/api/v1/api-keys' && sum.method === 'GET',
    );
    expect(listed.calls).toBeGreaterThan(listed.successes);
    expect(listed.successes).toBeGreaterThan(0);
    expect(listed.start).toBeUndefined();
    const rows = (await test.api('GET', '/usage?size=1000', alpha.text)).body.usage;
    for (const by of ['day', 'hour']) {
      const { usage } = (await summary(`?by=${by}`)).body;
      expect(new Set(usage.map(({ start }: { start: string }) => start)).size).toBe(1);
      // What it is asked with is recorded when it has been answered.
      const calls = usage.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0);
      expect(calls).toBeGreaterThanOrEqual(rows.length);
    }
    const all = (await summary('', operator)).body.usage;
    expect(
      all.find(({ endpoint }: { endpoint: string }) => endpoint === '/api/v1/api-keys').calls,
    ).toBeGreaterThan(2);
  });

  it('sums of one key, which has to be within reach', async () => {
    const { body } = await summary(`?key=${alpha.id}&by=hour`);
    expect(body.usage.length).toBeGreaterThan(0);
    expect((await summary(`?key=${beta.id}`)).status).toBe(404);
  });

  it('takes times, and no hours of a time that has too many', async () => {
    expect((await summary('?to=2001-01-01T00:00:00Z')).body).toEqual({ usage: [] });
    const long = '?by=hour&from=2001-01-01T00:00:00Z';
    expect((await summary(long)).status).toBe(400);
    expect((await summary(`${long}&to=2001-01-31T00:00:00Z`)).body).toEqual({ usage: [] });
  });
});

it('is read once before anybody asks, by nobody and without a trace', async () => {
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const { usage } = test.storage;
  const reads = [vi.spyOn(usage, 'total'), vi.spyOn(usage, 'summarize')];
  const counts = async () => [await usage.total(), [...test.refusals]];
  const before = await counts();
  for (const read of reads) read.mockClear();
  await warmUp(test.app, { ...test.doors, log, sandboxes: test.sandboxes });
  for (const read of reads) expect(read).toHaveBeenCalled();
  expect(warnings).toEqual([]);
  expect(await counts()).toEqual(before);
  vi.restoreAllMocks();
});
