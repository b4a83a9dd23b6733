import { discoverOAuthProtectedResourceMetadata } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { call, createGateUnderTest } from './gate-under-test.ts';

const folder = temporaryFolder();
const metadataPath = '/.well-known/oauth-protected-resource';
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;

beforeAll(async () => {
  gate = await createGateUnderTest(folder);
});
afterAll(() => gate.close());

it.each(['/mcp', '/mcp/servers/github'])(
  '%s says what it is to the official client',
  async (path) => {
    const fetchApp = async (url: string | URL, init?: RequestInit) =>
      await gate.test.app.request(String(url), init);
    const resource = `http://localhost${path}`;
    const refused = await gate.test.app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(call('read_note')),
    });
    expect(refused.status).toBe(401);
    const named = /resource_metadata="([^"]*)"/.exec(refused.headers.get('www-authenticate') ?? '');
    const options = { resourceMetadataUrl: named?.[1] ?? 'nothing was named' };
    const told = await discoverOAuthProtectedResourceMetadata(resource, options, fetchApp);
    expect(told).toEqual({
      resource,
      authorization_servers: ['http://localhost'],
      scopes_supported: ['mcp:call'],
      bearer_methods_supported: ['header'],
    });
    expect(await discoverOAuthProtectedResourceMetadata(resource, {}, fetchApp)).toEqual(told);
  },
);

it('is told of a server that is not there as of one that is, but of no address that can be none', async () => {
  for (const [path, status] of [
    ['/mcp/servers/nothing-here', 200],
    ['/mcp/servers/NOT%20A%20NAME', 404],
    [`/mcp/servers/${'a'.repeat(64)}`, 404],
    ['', 404],
    ['/api/v1', 404],
  ] as const) {
    const { status: answered } = await gate.test.app.request(`${metadataPath}${path}`);
    expect([path, answered]).toEqual([path, status]);
  }
});

it('lets no name out of the quotes of the header', async () => {
  const path = '/mcp/servers/x%22,%20error=%22y"z';
  const answer = await gate.test.app.request(path);
  expect(answer.headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="http://localhost${metadataPath}/mcp/servers/x%22,%20error=%22y%22z", scope="mcp:call"`,
  );
});

it('can be read by a web page, and is kept by nobody', async () => {
  const { headers } = await gate.test.app.request(`${metadataPath}/mcp`);
  expect([headers.get('access-control-allow-origin'), headers.get('cache-control')]).toEqual([
    '*',
    'no-store',
  ]);
});

it('is called as the operator says, whatever host was asked for', async () => {
  const identity = { publicUrl: 'https://sandgate.example/' };
  const named = await createGateUnderTest(folder, { identity });
  const asked = { headers: { host: 'evil.example' } };
  const told = await named.test.app.request(`http://evil.example${metadataPath}/mcp`, asked);
  expect(await told.json()).toMatchObject({ resource: 'https://sandgate.example/mcp' });
  const refused = await named.test.app.request('http://evil.example/mcp', asked);
  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="https://sandgate.example${metadataPath}/mcp", scope="mcp:call"`,
  );
  await named.close();
});

it('is told of beneath a path too, where a proxy serves the whole server there', async () => {
  const base = 'https://host.example/base';
  const named = await createGateUnderTest(folder, { identity: { publicUrl: base } });
  const refused = await named.test.app.request('/mcp/servers/github');
  const header = refused.headers.get('www-authenticate') ?? '';
  const [, url = 'nothing was named'] = /resource_metadata="([^"]*)"/.exec(header) ?? [];
  expect(url.startsWith(`${base}/`)).toBe(true);
  // What the proxy leaves of the path; and the address of RFC 9728, 3.1, passed on as it is.
  for (const path of [url.slice(base.length), `${metadataPath}/base/mcp/servers/github`]) {
    const told = await named.test.app.request(path);
    expect(await told.json()).toMatchObject({
      resource: `${base}/mcp/servers/github`,
      authorization_servers: [base],
    });
  }
  await named.close();
});
