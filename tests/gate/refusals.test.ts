import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bearer, call, createGateUnderTest } from './gate-under-test.ts';
import { serveScripted, type Upstream } from './upstream-server.ts';

const folder = temporaryFolder();
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;
let upstream: Upstream;
/** May call `read_*` of `guarded` alone. */
let reader: string;

beforeAll(async () => {
  gate = await createGateUnderTest(folder);
  upstream = await serveScripted((request, response, body) => {
    if (request.url === '/health') return void response.end('secret state');
    const id = body === '' ? null : JSON.parse(body).id;
    response.setHeader('content-type', 'application/json');
    response.setHeader('set-cookie', 'upstream=1');
    response.setHeader('access-control-allow-origin', 'https://evil.example.com');
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } }));
  });
  await gate.register('guarded', upstream.url, {
    allowed_origins: ['https://app.example.com'],
    health_path: '/health',
  });
  await gate.register('open', upstream.url, { authentication: false });
  reader = (await gate.issue({ restrictions: { mcpTools: ['guarded/read_*'] } })).text;
});
afterAll(async () => {
  await gate.close();
  await upstream.close();
});

const reached = async (work: () => Promise<unknown>): Promise<number> => {
  const before = upstream.seen.length;
  await work();
  return upstream.seen.length - before;
};

it.each([
  ['no key', {}, ''],
  ['a key of nobody', bearer(`msb_${'0'.repeat(48)}`), 'error="invalid_token", '],
  ['an empty key', { 'x-api-key': '' }, ''],
  ['a key in a header that is none for keys', { 'x-key': 'x' }, ''],
])('%s is answered by 401 before the upstream sees anything', async (_, headers, wrong) => {
  for (const name of ['guarded', 'nothing-here']) {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answers = async () => {
        const body = method === 'POST' ? call('read_note') : undefined;
        const answer = await gate.send(name, headers, { method, body });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
          401,
          `Bearer ${wrong}resource_metadata="http://localhost/.well-known/oauth-protected-resource/mcp/servers/${name}", scope="mcp:call"`,
        ]);
        expect(await answer.json()).toMatchObject({ jsonrpc: '2.0', error: {} });
      };
      expect(await reached(answers)).toBe(0);
    }
  }
  gate.test.clock.currentMs += 60_000;
});

it.each(['x-brimble-key', 'x-api-key', 'authorization'])('a key in %s opens', async (header) => {
  const value = header === 'authorization' ? `Bearer ${gate.manager}` : gate.manager;
  const answer = await gate.send('guarded', { [header]: value }, { body: call('any') });
  expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: { content: [] } });
  expect(JSON.stringify(upstream.seen.at(-1))).not.toContain(gate.manager);
});

it('two different credentials are refused', async () => {
  const headers = { ...bearer(gate.manager), 'x-brimble-key': reader };
  const answer = await gate.send('guarded', headers, { body: call('any') });
  expect(answer.status).toBe(400);
});

describe('a key for read_* does not get to another tool', () => {
  const two = (first: string, second: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${first},${second}}}`;
  it.each<[string, unknown]>([
    ['by its name', call('write_note')],
    ['by a name that begins like its own', call('read')],
    ['by a name with a line end', call('read_\n')],
    ['by a second name after the first', two('"name":"read_note"', '"name":"write_note"')],
    ['by a name in capitals beside it', two('"name":"read_note"', '"Name":"write_note"')],
    ['by a name that some take for it', two('"name":"read_note"', '"NAME":"write_note"')],
    [
      'by a second method',
      `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"write_note"}}`,
    ],
    [
      'by a method in capitals beside it',
      `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"write_note"}}`,
    ],
    [
      'by parameters that some take for them',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_note"},"paramſ":{"name":"write_note"}}`,
    ],
    ['by a batch', [call('read_note'), call('write_note', {}, 2)]],
    ['by a notification', { jsonrpc: '2.0', method: 'tools/call', params: { name: 'write_note' } }],
    ['by an id of null', call('write_note', {}, null)],
    ['by an answer that is a request', { ...call('write_note'), result: {} }],
    ['by a name that is no string', { ...call('x'), params: { name: ['write_note'] } }],
    ['by parameters in a list', { ...call('x'), params: ['write_note'] }],
    ['by what is no message', '"tools/call"'],
    [
      'by JSON that some repair',
      `${JSON.stringify(call('read_note'))}${JSON.stringify(call('write_note'))}`,
    ],
  ])('%s', async (_, body) => {
    const times = await reached(async () => {
      const answer = await gate.send('guarded', bearer(reader), { body });
      const text = await answer.text();
      expect([answer.status, text]).not.toEqual([200, expect.stringContaining('"content":[]')]);
    });
    expect(times).toBe(0);
  });

  it.each([
    ['mcp-name', 'write_note'],
    ['mcp-method', 'ping'],
    ['mcp-name', `=?base64?${Buffer.from('write_note').toString('base64')}?=`],
    ['mcp-name', '=?base64?!?='],
  ])('by the header %s: %s', async (header, value) => {
    const times = await reached(async () => {
      const headers = { ...bearer(reader), [header]: value };
      const answer = await gate.send('guarded', headers, { body: call('read_note') });
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { id: 1, error: { code: -32_020 } },
      ]);
    });
    expect(times).toBe(0);
  });

  it('and what reaches the upstream is what was decided on, to the last digit', async () => {
    const body =
      '{ "jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call","params":{"name":"write_note","name":"read_note","arguments":{"a":1.0,"b":0.10,"c":9007199254740993,"d":-0,"e":1e400,"__proto__":{"x":1}}}}';
    const answer = await gate.send('guarded', bearer(reader), { body });
    expect(answer.status).toBe(200);
    expect(upstream.seen.at(-1)?.body).toBe(
      '{"jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call","params":{"name":"read_note","arguments":{"a":1.0,"b":0.10,"c":9007199254740993,"d":-0,"e":1e400,"__proto__":{"x":1}}}}',
    );
  });

  it('nor to another server', async () => {
    await gate.register('other', upstream.url);
    for (const body of [call('read_note'), { jsonrpc: '2.0', id: 1, method: 'resources/list' }]) {
      const times = await reached(async () => {
        const answer = await gate.send('other', bearer(reader), { body });
        expect(await answer.text()).toContain('key_restricted');
      });
      expect(times).toBe(0);
    }
  });
});

it('a limit refuses a tool in the protocol’s own form, and another message by 429', async () => {
  const { text, key } = await gate.issue({ limits: { minute: 1 } });
  const answers = [];
  for (let index = 0; index < 2; index += 1) {
    answers.push(await gate.send('guarded', bearer(text), { body: call('any') }));
  }
  expect(await answers[1]?.json()).toMatchObject({
    id: 1,
    result: { isError: true, _meta: { 'sandgate/error': 'rate_limited' } },
  });
  expect(answers[1]?.headers.get('retry-after')).toBe('60');
  const ping = { jsonrpc: '2.0', id: 'p', method: 'ping' };
  const other = await gate.send('guarded', bearer(text), { body: ping });
  expect([other.status, (await other.json()) as unknown]).toMatchObject([429, { id: 'p' }]);
  expect(await gate.usageOf(key.number)).toHaveLength(3);
});

it('tells of each call of a tool in the audit, also of a refused one', async () => {
  const { text, key } = await gate.issue({ restrictions: { mcpTools: ['guarded/read_*'] } });
  for (const tool of ['read_a', 'write_a']) {
    await gate.send('guarded', bearer(text), { body: call(tool) });
  }
  const { entries } = await gate.test.storage.audit.list({}, { limit: 20 });
  expect(entries.find(({ target }) => target === 'tool:guarded/read_a')).toMatchObject({
    action: 'mcp.call',
    actor: { kind: 'key', keyNumber: key.number },
    outcome: 'done',
  });
  expect(gate.test.refusals.at(-1)).toBe('key_restricted');
});

it('passes on no header that is for this connection, or says who or where the client is', async () => {
  await gate.send(
    'guarded',
    {
      ...bearer(gate.manager),
      connection: 'x-hop, mcp-protocol-version',
      'x-hop': '1',
      'mcp-protocol-version': '2025-06-18',
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=10.0.0.1',
      'x-http-method-override': 'DELETE',
      'x-original-url': '/admin',
      'x-sandgate-identity': 'forged',
      'proxy-authorization': `Bearer ${gate.manager}`,
      traceparent: '00-1-2-03',
    },
    { body: call('any') },
  );
  const names = Object.keys(upstream.seen.at(-1)?.headers ?? {});
  expect(names.toSorted()).toEqual([
    'accept',
    'accept-encoding',
    'connection',
    'content-length',
    'content-type',
    'host',
    'traceparent',
    'x-sandgate-identity',
  ]);
  expect(upstream.seen.at(-1)?.headers['x-sandgate-identity']).not.toBe('forged');
});

it('gives the client no header of the upstream but the protocol’s', async () => {
  const answer = await gate.send('guarded', bearer(gate.manager), { body: call('any') });
  expect(answer.headers.get('set-cookie')).toBeNull();
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

it('lets pages of the listed origins call, and no others', async () => {
  const preflight = (origin: string, name = 'guarded') =>
    gate.send(
      name,
      { origin, 'access-control-request-headers': 'x-brimble-key,content-type' },
      { method: 'OPTIONS' },
    );
  const allowed = await preflight('https://app.example.com');
  expect([allowed.status, allowed.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'x-brimble-key,content-type',
  ]);
  for (const [origin, name] of [
    ['https://evil.example.com', 'guarded'],
    ['https://app.example.com', 'nothing-here'],
    ['null', 'guarded'],
  ] as const) {
    const refused = await preflight(origin, name);
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      403,
      null,
    ]);
  }
  const origin = { origin: 'https://app.example.com' };
  const unknown = await gate.send('guarded', origin, { body: call('any') });
  expect([unknown.status, unknown.headers.get('access-control-allow-origin')]).toEqual([
    401,
    'https://app.example.com',
  ]);
});

it('a server without authentication takes everybody, so many times a minute, and keeps its own credentials', async () => {
  gate.test.clock.currentMs += 60_000;
  const theirs = { authorization: 'Bearer of-the-upstream', 'x-tenant': 'a' };
  const answer = await gate.send('open', theirs, { body: call('any') });
  expect(answer.status).toBe(200);
  expect(upstream.seen.at(-1)?.headers).toMatchObject(theirs);
  expect(upstream.seen.at(-1)?.headers['x-sandgate-identity']).toBeUndefined();
  await gate.send('open', bearer(gate.manager), { body: call('any') });
  expect(upstream.seen.at(-1)?.headers.authorization).toBeUndefined();
  for (let index = 2; index < 20; index += 1) {
    await gate.send('open', {}, { body: { jsonrpc: '2.0', id: 1, method: 'ping' } });
  }
  const times = await reached(async () => {
    const refused = await gate.send(
      'open',
      {},
      { body: { jsonrpc: '2.0', id: 1, method: 'ping' } },
    );
    expect(refused.status).toBe(429);
  });
  expect(times).toBe(0);
});

it('tells anybody whether an upstream is well where its owner says so, and nothing else of it', async () => {
  gate.test.clock.currentMs += 60_000;
  const ask = async (name: string) => {
    const answer = await gate.test.app.request(`/mcp/servers/${name}/health`);
    return [answer.status, await answer.text()];
  };
  expect(await ask('guarded')).toEqual([200, '{"status":"ok"}']);
  expect(upstream.seen.at(-1)?.headers['x-sandgate-identity']).toBeUndefined();
  expect((await ask('open'))[0]).toBe(401);
  expect((await ask('nothing-here'))[0]).toBe(401);
});

it("its record tells a key of another workspace nothing of a server's name", async () => {
  const { key, text: stranger } = await gate.issue({ namespace: 'elsewhere' });
  for (const name of ['guarded', 'nothing-here']) {
    for (const tool of ['read_note', 'a-tool-of-mine']) {
      const answer = await gate.send(name, bearer(stranger), { body: call(tool) });
      expect(await answer.text()).toContain('MCP server not found');
    }
  }
  const { body } = await gate.test.api('GET', `/usage?key=${key.id}`, gate.operator);
  const endpoints = body.usage.map(({ endpoint }: { endpoint: string }) => endpoint);
  expect(endpoints.filter((endpoint: string) => endpoint.startsWith('/mcp'))).toEqual(
    Array(4).fill('/mcp/servers/{name}'),
  );
});
