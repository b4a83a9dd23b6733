import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bearer, call, createGateUnderTest } from './gate-under-test.ts';
import { serveScripted, type Upstream } from './upstream-server.ts';

const folder = temporaryFolder();
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;
let upstream: Upstream;

const secret = 'Bearer the-secret-of-the-upstream';

beforeAll(async () => {
  gate = await createGateUnderTest(folder);
  upstream = await serveScripted((_, response, body) => {
    const { id } = JSON.parse(body);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } }));
  });
});
afterAll(async () => {
  await gate.close();
  await upstream.close();
});

const api = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  gate.test.api(method, `/mcp-servers${path}`, gate.manager, body);

it('are registered, shown, changed and removed, and their headers never shown', async () => {
  const made = await api('POST', '', {
    name: 'kept',
    url: upstream.url,
    headers: { Authorization: secret },
  });
  expect(made.body).toMatchObject({
    name: 'kept',
    endpoint: '/mcp/servers/kept',
    url: upstream.url,
    authentication: true,
    header_names: ['authorization'],
    headers_outdated: false,
    enabled: true,
  });
  const shown = [
    made,
    await api('GET', '/kept'),
    await api('GET', ''),
    await api('PATCH', '/kept', { headers: { 'x-more': 'also-secret' } }),
  ];
  for (const { text } of shown) expect(text).not.toMatch(/secret/);
  expect(shown[3]?.body.header_names).toEqual(['authorization', 'x-more']);
  for (const suffix of ['', '-wal']) {
    expect(readFileSync(`${gate.test.file}${suffix}`).includes('secret-of')).toBe(false);
  }
  const called = await gate.send('kept', bearer(gate.manager), { body: call('any') });
  expect(called.status).toBe(200);
  expect(upstream.seen.at(-1)?.headers).toMatchObject({
    authorization: secret,
    'x-more': 'also-secret',
  });
  const fewer = await api('PATCH', '/kept', { headers: { 'X-More': null }, enabled: false });
  expect(fewer.body).toMatchObject({ header_names: ['authorization'], enabled: false });
  expect((await gate.send('kept', bearer(gate.manager), { body: call('any') })).status).toBe(200);
  expect(upstream.seen).toHaveLength(1);
  expect((await api('DELETE', '/kept')).status).toBe(204);
  expect((await api('GET', '/kept')).status).toBe(404);
});

it('keep their headers for the host that they were given for', async () => {
  await gate.register('moving', upstream.url, { headers: { authorization: secret, b: '1' } });
  const elsewhere = 'https://elsewhere.example.com/mcp';
  const refused = await api('PATCH', '/moving', { url: elsewhere, headers: { b: '2' } });
  expect([refused.status, refused.text]).toEqual([
    400,
    expect.stringContaining('authorization was given for another host'),
  ]);
  const samePlace = await api('PATCH', '/moving', { url: `${upstream.url}/v2` });
  expect(samePlace.body.header_names).toEqual(['authorization', 'b']);
  const moved = await api('PATCH', '/moving', {
    url: elsewhere,
    headers: { authorization: null, b: '2' },
  });
  expect(moved.body).toMatchObject({ url: elsewhere, header_names: ['b'] });
});

it.each([
  [{ name: 'sandgate' }, "names Sandgate's own tools"],
  [{ name: 'Upper' }, 'a-z, 0-9'],
  [{ name: 'a/b' }, 'a-z, 0-9'],
  [{ name: `msb_${'0'.repeat(48)}` }, 'API key'],
  [{ url: 'https://10.0.0.1/mcp' }, 'public Internet'],
  [{ url: 'http://mcp.example.com/mcp' }, 'over https'],
  [{ url: 'file:///etc/passwd' }, 'https URL'],
  [{ url: 'https://me:word@mcp.example.com/' }, 'user name'],
  [{ url: `https://mcp.example.com/?key=msb_${'0'.repeat(48)}` }, 'API key'],
  [{ headers: { 'content-length': '5' } }, 'set by Sandgate'],
  [{ headers: { 'X-Sandgate-Identity': 'x' } }, 'set by Sandgate'],
  [{ headers: { 'a b': 'x' } }, 'no header name'],
  [{ headers: { a: 'x\r\ny: z' } }, 'printable'],
  [{ headers: { a: null } }, null],
  [{ allowed_origins: ['https://app.example.com/'] }, 'no origin'],
  [{ allowed_origins: ['null'] }, 'no origin'],
  [{ health_path: '/../admin' }, 'absolute path'],
  [{ health_path: '//elsewhere' }, 'absolute path'],
  [{ health_path: 'https://elsewhere/' }, 'absolute path'],
])('with %j are answered by %j', async (given, problem) => {
  const answer = await api('POST', '', {
    name: 'judged',
    url: 'https://mcp.example.com/mcp',
    ...given,
  });
  expect([answer.status, answer.text]).toEqual([
    problem === null ? 200 : 400,
    problem === null ? expect.anything() : expect.stringContaining(problem),
  ]);
});

it('whose headers were sealed under a server key that is gone say so, and call nobody', async () => {
  await gate.register('sealed', upstream.url, { headers: { authorization: secret } });
  const { version } = gate.test.keyDependencies.serverKey();
  const seen = upstream.seen.length;
  await gate.test.storage.mcpServers.change(undefined, 'sealed', (server) => ({
    ...server,
    sealedHeaders: server.sealedHeaders && {
      ...server.sealedHeaders,
      serverKeyVersion: version + 1,
    },
  }));
  expect((await api('GET', '/sealed')).body.headers_outdated).toBe(true);
  const refused = await gate.send('sealed', bearer(gate.manager), { body: call('any') });
  expect(await refused.text()).toContain('Set them again');
  expect(upstream.seen).toHaveLength(seen);
  const again = await api('PATCH', '/sealed', { headers: { authorization: secret } });
  expect(again.body.headers_outdated).toBe(false);
});

it('of one workspace have a name that no other has, and are nothing to other workspaces', async () => {
  await gate.register('taken', upstream.url);
  const other = (await gate.test.issue({ namespace: 'other' })).text;
  const second = await gate.test.api('POST', '/mcp-servers', other, {
    name: 'taken',
    url: 'https://mcp.example.com/mcp',
  });
  expect(second.status).toBe(409);
  const seen = upstream.seen.length;
  const answers = [];
  for (const name of ['taken', 'nothing-here']) {
    const answer = await gate.send(name, bearer(other), { body: { ...call('x'), method: 'ping' } });
    answers.push([answer.status, await answer.text(), answer.headers.get('x-ratelimit-limit')]);
    const listen = await gate.send(name, bearer(other), { method: 'GET' });
    expect(listen.status).toBe(404);
  }
  expect(answers[0]?.[0]).toBe(404);
  expect(answers[0]).toEqual(answers[1]);
  expect(upstream.seen).toHaveLength(seen);
});
