import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bearer, createGateUnderTest, type Generation } from './gate-under-test.ts';
import { serveSessions, serveStateless, type Upstream } from './upstream-server.ts';

const folder = temporaryFolder();
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;
let stateless: Upstream;
let sessions: Upstream;

beforeAll(async () => {
  gate = await createGateUnderTest(folder);
  stateless = await serveStateless();
  sessions = await serveSessions();
  await gate.register('plain', stateless.url, { headers: { authorization: 'Bearer theirs' } });
  await gate.register('sticky', sessions.url);
});
afterAll(async () => {
  await gate.close();
  await stateless.close();
  await sessions.close();
});

const textOf = ({ content }: { content?: unknown }) =>
  (content as { text: string }[] | undefined)?.[0]?.text;

describe.each<[string, Generation]>([
  ['before 2026-07-28', 'legacy'],
  ['of 2026-07-28', { pin: '2026-07-28' }],
])('the official client %s', (_, mode) => {
  it('lists and calls tools through the gate, with progress as it comes', async () => {
    const { text, key } = await gate.issue();
    const client = await gate.connect('plain', bearer(text), mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['add', 'read_note', 'count']);
    const sum = await client.callTool({ name: 'add', arguments: { a: 2, b: 40 } });
    expect(textOf(sum)).toBe('42');
    const progress: number[] = [];
    const counted = await client.callTool(
      { name: 'count', arguments: {} },
      { onprogress: (each) => void progress.push(each.progress) },
    );
    expect(textOf(counted)).toBe('counted');
    expect(progress).toEqual([1, 2, 3]);
    const endpoints = (await gate.usageOf(key.number)).map(({ endpoint }) => endpoint);
    expect(endpoints).toContain('/mcp/servers/plain#add');
    expect(endpoints).toContain('/mcp/servers/plain#count');
    expect(endpoints).toContain('/mcp/servers/plain');
  });

  it('sees and calls the tools that its key may call, and is told why of the others', async () => {
    const { text, key } = await gate.issue({ restrictions: { mcpTools: ['plain/read_*'] } });
    const client = await gate.connect('plain', bearer(text), mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['read_note']);
    expect(textOf(await client.callTool({ name: 'read_note', arguments: {} }))).toBe('a note');
    const before = stateless.seen.length;
    const refused = await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toBe('Error: This API key may not call the tool plain/add');
    expect(stateless.seen).toHaveLength(before);
    const [row] = await gate.usageOf(key.number);
    expect(row).toMatchObject({ endpoint: '/mcp/servers/plain#add', error: 'key_restricted' });
  });
});

it('a session belongs to its server and to the key that began it', async () => {
  const mine = (await gate.issue()).text;
  const theirs = (await gate.issue()).text;
  const begun = await gate.send('sticky', bearer(mine), {
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      },
    },
  });
  await begun.text();
  const session = begun.headers.get('mcp-session-id') ?? '';
  const upstreamSession = Buffer.from(session.split('.')[0] ?? '', 'base64url').toString();
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
  const listed = async (name: string, key: string, id: string) => {
    const response = await gate.send(
      name,
      { ...bearer(key), 'mcp-session-id': id },
      { body: list },
    );
    return [response.status, await response.text()] as const;
  };
  expect((await listed('sticky', mine, session))[1]).toContain('read_note');
  const seen = sessions.seen.length;
  for (const [key, id] of [
    [theirs, session],
    [mine, upstreamSession],
    [mine, `${session}x`],
    [mine, session.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))],
  ] as const) {
    const [status, text] = await listed('sticky', key, id);
    expect([status, JSON.parse(text).id, JSON.parse(text).error.data.code]).toEqual([
      404,
      2,
      'not_found',
    ]);
  }
  expect((await listed('plain', mine, session))[0]).toBe(404);
  expect(sessions.seen).toHaveLength(seen);
  const client = await gate.connect('sticky', bearer(mine));
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } }))).toBe('3');
});

it('tells the upstream who calls, in a token that the published keys verify, and no credential', async () => {
  const { text, key } = await gate.issue();
  const response = await gate.send('plain', bearer(text), {
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_note' } },
  });
  await response.text();
  const last = stateless.seen.at(-1);
  const { headers = {}, body = '' } = last ?? {};
  expect(headers.authorization).toBe('Bearer theirs');
  expect(JSON.stringify(stateless.seen)).not.toContain(text);
  const published = await gate.test.app.request('/.well-known/jwks.json');
  const { payload } = await jwtVerify(
    String(headers['x-sandgate-identity']),
    createLocalJWKSet((await published.json()) as never),
    {
      issuer: 'sandgate',
      audience: 'mcp-server:plain',
      typ: 'sandgate-caller+jwt',
      currentDate: new Date(gate.test.clock.currentMs),
    },
  );
  expect(payload).toMatchObject({
    sub: `key:${key.number}`,
    workspace: 'team',
    http_method: 'POST',
    method: 'tools/call',
    tool: 'read_note',
    jti: response.headers.get('x-request-id'),
    body_sha256: createHash('sha256').update(body).digest('base64url'),
  });
  // It opens nothing here.
  const asToken = bearer(String(headers['x-sandgate-identity']));
  expect((await gate.send('plain', asToken, { body: {} })).status).toBe(401);
});
