import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { User } from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Listener, listen } from '../../packages/server/src/http/listen.ts';
import { samplePassword, samplePeople } from '../support/sample-people.ts';
import { socketBrowser, type Visit } from '../support/socket-browser.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

let test: TestApp;
let people: ReturnType<typeof samplePeople>;
let listener: Listener;
let user: User;
let slug: string;

beforeAll(async () => {
  test = await createTestApp(temporaryFolder());
  // The library that signs programs in has the machine's clock.
  test.clock.currentMs = Date.now();
  people = samplePeople(test);
  listener = await listen(test.app, { host: '127.0.0.1', port: 0, tls: null });
  user = await people.newUser();
  slug = (await test.storage.workspaces.findById(user.homeWorkspaceId))?.slug ?? '';
});
afterAll(() => listener.close(0));

const redirectUri = 'http://127.0.0.1:33418/callback';

/** The tests look into answers of many shapes; a wrong guess fails the test that makes it. */
const bodyOf = async (response: Response): Promise<ReturnType<typeof JSON.parse>> =>
  JSON.parse(await response.text());

const json = async (path: string, body?: unknown) => {
  const response = await fetch(`${listener.address}${path}`, {
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
  });
  return { status: response.status, headers: response.headers, body: await bodyOf(response) };
};

async function register(changes: object = {}): Promise<string> {
  const registered = await json('/oauth/register', {
    client_name: 'Sample <client>',
    redirect_uris: [redirectUri],
    ...changes,
  });
  expect(registered.status).toBe(201);
  return registered.body.client_id;
}

let knownClient: Promise<string> | null = null;

interface Asked {
  readonly clientId: string;
  readonly verifier: string;
  readonly url: string;
}

async function ask(changes: Readonly<Record<string, string | null>> = {}): Promise<Asked> {
  knownClient ??= register();
  const clientId = await knownClient;
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${listener.address}/oauth/authorize`);
  const parameters: Readonly<Record<string, string | null>> = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state: 'the state',
    scope: 'mcp:call',
    resource: `${listener.address}/mcp`,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return { clientId, verifier, url: url.href };
}

const token = async (fields: Readonly<Record<string, string>>) => {
  const response = await fetch(`${listener.address}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(fields),
  });
  return { status: response.status, body: await bodyOf(response) };
};

const exchange = async ({ clientId, verifier }: Asked, left: Visit) =>
  await token({
    grant_type: 'authorization_code',
    client_id: clientId,
    code: new URL(left.url).searchParams.get('code') ?? '',
    code_verifier: verifier,
    redirect_uri: redirectUri,
  });

const allTools = ['sandbox_start', 'sandbox_list', 'sandbox_run_command'];

async function logIn(asked: Asked, email = user.email) {
  const browser = socketBrowser(listener.address);
  await browser.open(asked.url);
  await browser.submit({ action: 'log_in', email, password: samplePassword });
  return browser;
}

async function allow(asked: Asked, fields: Readonly<Record<string, string | string[]>> = {}) {
  const browser = await logIn(asked);
  return await browser.submit({
    action: 'allow',
    workspace: slug,
    tool: allTools,
    days: '7',
    ...fields,
  });
}

async function signIn(fields: Readonly<Record<string, string | string[]>> = {}) {
  const asked = await ask();
  const exchanged = await exchange(asked, await allow(asked, fields));
  expect(exchanged.status).toBe(200);
  return { asked, ...exchanged.body } as {
    readonly asked: Asked;
    readonly access_token: string;
    readonly refresh_token: string;
  };
}

async function connect(accessToken: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`${listener.address}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${accessToken}` } },
  });
  await client.connect(transport);
  return client;
}

const mcpStatus = async (accessToken: string, path = '/mcp') =>
  (
    await fetch(`${listener.address}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${accessToken}`,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    })
  ).status;

it('tells programs how to sign in', async () => {
  const refused = await fetch(`${listener.address}/mcp`, { method: 'POST' });
  const told = refused.headers.get('www-authenticate') ?? '';
  const [, url = ''] = /resource_metadata="([^"]+)"/.exec(told) ?? [];
  const resource = await (await fetch(url)).json();
  expect(resource).toMatchObject({
    resource: `${listener.address}/mcp`,
    authorization_servers: [listener.address],
  });
  const { body } = await json('/.well-known/oauth-authorization-server');
  expect(body).toMatchObject({
    issuer: listener.address,
    authorization_endpoint: `${listener.address}/oauth/authorize`,
    token_endpoint: `${listener.address}/oauth/token`,
    registration_endpoint: `${listener.address}/oauth/register`,
    revocation_endpoint: `${listener.address}/oauth/revoke`,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    client_id_metadata_document_supported: true,
  });
  expect(body.scopes_supported).toContain('mcp:call');
});

it('lets a program in as far as the person chose, and counts its calls with their key', async () => {
  const { access_token: accessToken } = await signIn({
    tool: ['sandbox_start', 'sandbox_list'],
    name_prefix: 'agent-',
    max_sandboxes: '1',
  });
  const client = await connect(accessToken);
  const call = async (name: string, args: Record<string, unknown>) => {
    const { isError = false, content } = await client.callTool({ name, arguments: args });
    return { isError, text: JSON.stringify(content) };
  };
  const start = (sandbox: string) =>
    call('sandbox_start', { sandbox, namespace: slug, config: { image: 'python' } });
  expect(await start('other')).toMatchObject({ isError: true });
  expect(await start('agent-1')).toMatchObject({ isError: false });
  const refused = await call('sandbox_run_command', {
    sandbox: 'agent-1',
    namespace: slug,
    command: 'true',
  });
  expect(refused).toMatchObject({ isError: true });
  expect(refused.text).toContain('may not call the tool');
  await client.close();

  const keys = await test.storage.keys.list({ workspaceId: user.homeWorkspaceId });
  const key = keys.find(({ restrictions }) => restrictions.sandboxNamePrefix === 'agent-');
  expect(key).toMatchObject({
    name: 'Sample <client>',
    ownerId: user.id,
    restrictions: {
      mcpTools: ['sandgate/sandbox_start', 'sandgate/sandbox_list'],
      maxSandboxes: 1,
    },
  });
  expect(key?.usageCount).toBeGreaterThan(3);
});

describe('the page', () => {
  it('shows who asks, and nothing that they wrote as markup', async () => {
    const browser = socketBrowser(listener.address);
    const { status, text, headers } = await browser.open((await ask()).url);
    expect(status).toBe(200);
    expect(text).toContain('Sample &lt;client&gt;');
    expect(text).not.toContain('<client>');
    expect(text).toContain(redirectUri);
    expect(text).toContain('chose its name itself');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('shows no name that turns around or pushes away what is said of it', async () => {
    const clientId = await register({ client_name: `\u202egood\u0000\u2066${'x'.repeat(2_000)}` });
    const browser = socketBrowser(listener.address);
    const { text } = await browser.open((await ask({ client_id: clientId })).url);
    expect(text).toContain(`<strong>good${'x'.repeat(96)}</strong>`);
    for (const hidden of ['\u202e', '\u2066']) expect(text).not.toContain(hidden);
  });

  it('shows the host that the browser goes to, and nothing that looks like one', async () => {
    const address = 'https://trusted.example@other.example/back';
    const clientId = await register({ redirect_uris: [address] });
    const browser = socketBrowser(listener.address);
    const asked = await ask({ client_id: clientId, redirect_uri: address });
    const { text } = await browser.open(asked.url);
    expect(text).toContain('<code>https://other.example/back</code>');
    expect(text).not.toContain('trusted.example');
  });

  it('takes no wrong password, and says so', async () => {
    const browser = socketBrowser(listener.address);
    await browser.open((await ask()).url);
    const answer = await browser.submit({ action: 'log_in', email: user.email, password: 'wrong' });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('role="alert"');
    expect(browser.cookieNames()).not.toContain('sandgate_oauth_person');
  });

  it('lets nobody in who has not logged in', async () => {
    const browser = socketBrowser(listener.address);
    await browser.open((await ask()).url);
    const answer = await browser.submit({ action: 'allow', workspace: slug, days: '1' });
    expect(answer.text).toContain('Log in again');
  });

  it.each([
    [{ days: '31' }, 'Days until it has to ask again: 1 to 30'],
    [{ days: '' }, 'Days until it has to ask again'],
    [{ days: '1.5' }, 'whole number'],
    [{ tool: [] }, 'Tools: choose one'],
    [{ max_sandboxes: '-1' }, 'How many sandboxes at once'],
    [{ name_prefix: 'no/such name' }, 'name'],
    [{ workspace: 'somewhere-else' }, 'role="alert"'],
    [{ action: 'else' }, 'action: must be'],
  ])('says what is wrong with %j, and asks again', async (fields, words) => {
    const answer = await allow(await ask(), fields);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).toContain(words);
    expect(answer.text).toContain('Let it in');
  });

  it('takes forms of its own pages alone', async () => {
    const browser = await logIn(await ask());
    const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const fields = { action: 'allow', workspace: slug, tool: allTools, days: '1' };
    expect((await browser.submit(fields, elsewhere)).status).toBe(403);
  });

  it('decides about what it showed, and not about what was begun since', async () => {
    const asked = await ask();
    const browser = await logIn(asked);
    const fields = { action: 'allow', workspace: slug, tool: allTools, days: '1' };
    const answer = await browser.submit({ ...fields, sign_in: 'another one' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('begun in another browser');
  });

  it('does nothing in a browser that has begun nothing', async () => {
    const { status, text } = await socketBrowser(listener.address).open(
      `${listener.address}/oauth/sign-in`,
    );
    expect(status).toBe(400);
    expect(text).toContain('Begin again');
  });

  it('offers only workspaces where the role allows it', async () => {
    const viewer = await people.newUser();
    const home = await test.storage.workspaces.findById(user.homeWorkspaceId);
    if (home === null) throw new Error('no home');
    await people.join(home, viewer, 'viewer');
    const asked = await ask();
    const browser = await logIn(asked, viewer.email);
    const page = await browser.open(`${listener.address}/oauth/sign-in`);
    expect(page.text).not.toContain(`value="${slug}"`);
    const answer = await browser.submit({
      action: 'allow',
      workspace: slug,
      tool: allTools,
      days: '1',
    });
    expect(answer.status).toBe(403);
  });

  it('sends the browser back with a refusal', async () => {
    const browser = await logIn(await ask());
    const left = new URL((await browser.submit({ action: 'deny' })).url);
    expect(left.origin + left.pathname).toBe(redirectUri);
    expect(Object.fromEntries(left.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the state',
      iss: listener.address,
    });
  });

  it('leaves no session behind when it has decided', async () => {
    const other = await people.newUser();
    const asked = await ask();
    const browser = await logIn(asked, other.email);
    const home = await test.storage.workspaces.findById(other.homeWorkspaceId);
    const left = await browser.submit({
      action: 'allow',
      workspace: home?.slug ?? '',
      tool: allTools,
      days: '1',
    });
    expect(left.url).toContain('code=');
    expect(await test.storage.sessions.listLiving(other.id, test.clock.nowMs())).toEqual([]);
    expect(browser.cookieNames()).not.toContain('sandgate_oauth_person');
  });
});

describe('the protocol', () => {
  // An address may begin so many sign-ins in a minute.
  beforeAll(() => {
    test.clock.currentMs += 60_000;
  });

  it.each([
    ['no challenge', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
    ['a path that is no resource', { resource: 'SELF/api/v1/api-keys' }, 'invalid_target'],
    ['an implicit token', { response_type: 'token' }, 'unsupported_response_type'],
  ])('refuses %s at the address of the program', async (_, changes, error) => {
    const resource = 'resource' in changes ? changes.resource : null;
    const own = resource?.replace('SELF', listener.address);
    const asked = await ask({ ...changes, ...(own === undefined ? {} : { resource: own }) });
    const left = new URL((await socketBrowser(listener.address).open(asked.url)).url);
    expect(left.href.startsWith(redirectUri)).toBe(true);
    expect(left.searchParams.get('error') ?? left.hash).toContain(error);
  });

  it.each([
    ['an address that is not registered', { redirect_uri: 'https://evil.example/' }],
    ['a program that nobody knows', { client_id: 'unknown' }],
  ])('sends no browser to %s', async (_, changes) => {
    const visit = await socketBrowser(listener.address).open((await ask(changes)).url);
    expect(visit.status).toBe(400);
    expect(visit.url.startsWith(listener.address)).toBe(true);
  });

  it.each([
    ['a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['an address that runs', { redirect_uris: ['javascript:alert(1)'] }],
    ['plain HTTP to another machine', { redirect_uris: ['http://example.com/callback'] }],
    ['no address', { redirect_uris: [] }],
    ['the implicit flow', { response_types: ['token'], grant_types: ['implicit'] }],
  ])('registers no program with %s', async (_, changes) => {
    const { status } = await json('/oauth/register', {
      client_name: 'x',
      redirect_uris: [redirectUri],
      ...changes,
    });
    expect(status).toBe(400);
  });

  it.each([null, '', 'openid profile', 'something else'])(
    'gives its own scope to a program that asks for %j',
    async (scope) => {
      const asked = await ask({ scope });
      const { status, body } = await exchange(asked, await allow(asked));
      expect([status, body.scope]).toEqual([200, 'mcp:call']);
    },
  );

  it('registers programs with an address of their own scheme, as editors have it', async () => {
    await register({ redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/callback'] });
  });

  it('takes a code once, with its verifier, and ends everything when it comes again', async () => {
    const asked = await ask();
    const left = await allow(asked);
    const wrong = await exchange({ ...asked, verifier: 'x'.repeat(43) }, left);
    expect(wrong.body.error).toBe('invalid_grant');

    const second = await ask();
    const back = await allow(second);
    const [one, other] = await Promise.all([exchange(second, back), exchange(second, back)]);
    const good = [one, other].filter(({ status }) => status === 200);
    expect(good.length).toBeLessThanOrEqual(1);
    expect((await exchange(second, back)).body.error).toBe('invalid_grant');
    if (good[0] !== undefined) expect(await mcpStatus(good[0].body.access_token)).toBe(401);
  });

  it('leaves a key that its program never came for no longer than its code', async () => {
    const newestKey = async () =>
      (await test.storage.keys.list({ workspaceId: user.homeWorkspaceId })).at(-1);
    const asked = await ask();
    const left = await allow(asked);
    const before = await newestKey();
    expect((before?.expiresAtMs ?? Infinity) - test.clock.currentMs).toBeLessThanOrEqual(120_000);
    const { body } = await exchange(asked, left);
    const after = await newestKey();
    expect(after?.id).toBe(before?.id);
    const days = ((after?.expiresAtMs ?? 0) - test.clock.currentMs) / 86_400_000;
    expect(days).toBeCloseTo(7, 3);
    expect(await mcpStatus(body.access_token)).toBe(200);
  });

  it('forgets a program that nobody lets in within the hour', async () => {
    const clientId = await register();
    const kept = await test.storage.oauth.find('Client', clientId);
    const leftMs = (kept?.expiresAtMs ?? Infinity) - test.clock.currentMs;
    expect(leftMs).toBeLessThanOrEqual(3_600_000);
  });

  it('says to a program whose token is good no more that it is the token', async () => {
    const challenge = async (headers: Record<string, string>) => {
      const answer = await fetch(`${listener.address}/mcp`, { method: 'POST', headers });
      return answer.headers.get('www-authenticate');
    };
    expect(await challenge({ authorization: 'Bearer eyJ.no.token' })).toContain(
      'error="invalid_token"',
    );
    expect(await challenge({})).not.toContain('error=');
  });

  it('opens what the token is for, and nothing else', async () => {
    const { access_token: accessToken } = await signIn();
    expect(await mcpStatus(accessToken)).toBe(200);
    expect(await mcpStatus(accessToken, '/mcp/servers/some')).toBe(401);
    const api = await test.api('GET', '/me', accessToken);
    expect(api.status).toBe(401);
    expect((await test.call('sandbox.metrics.get', {}, accessToken)).status).toBe(401);
    const modbox = await test.app.request('/workspaces', {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(modbox.status).toBe(401);
  });

  it('takes no access token of a session for one of a resource, nor a token that was changed', async () => {
    const { access_token: accessToken } = await signIn();
    const [header = '', payload = '', signature = ''] = accessToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect(claims).toMatchObject({ iss: listener.address, aud: `${listener.address}/mcp` });
    expect(claims.exp - claims.iat).toBe(900);
    const forged = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 60 }));
    expect(await mcpStatus(`${header}.${forged.toString('base64url')}.${signature}`)).toBe(401);
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    expect(await mcpStatus(`${none}.${payload}.`)).toBe(401);
  });

  it('renews a token, once, and ends everything when an old one is shown again', async () => {
    const { asked, refresh_token: first } = await signIn();
    const renew = (refreshToken: string) =>
      token({
        grant_type: 'refresh_token',
        client_id: asked.clientId,
        refresh_token: refreshToken,
      });
    const renewed = await renew(first);
    expect(renewed.status).toBe(200);
    expect(await mcpStatus(renewed.body.access_token)).toBe(200);
    expect((await renew(first)).body.error).toBe('invalid_grant');
    expect(await mcpStatus(renewed.body.access_token)).toBe(401);
    expect((await renew(renewed.body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('ends with the key, whoever revokes it', async () => {
    const { asked, access_token: accessToken, refresh_token: refreshToken } = await signIn();
    const keys = await test.storage.keys.list({ workspaceId: user.homeWorkspaceId });
    const key = keys.at(-1);
    const operator = (await test.issue()).text;
    const revoked = await test.api('DELETE', `/api-keys/${key?.number}`, operator);
    expect(revoked.status).toBe(200);
    expect(await mcpStatus(accessToken)).toBe(401);
    const fields = { client_id: asked.clientId, refresh_token: refreshToken };
    const renewed = await token({ grant_type: 'refresh_token', ...fields });
    expect(renewed.body.error).toBe('invalid_grant');
  });

  it('ends when the program gives its token back', async () => {
    const { asked, access_token: accessToken, refresh_token: refreshToken } = await signIn();
    const response = await fetch(`${listener.address}/oauth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: refreshToken, client_id: asked.clientId }),
    });
    expect(response.status).toBe(200);
    expect(await mcpStatus(accessToken)).toBe(401);
  });

  it('ends with the role of the person', async () => {
    const member = await people.newUser();
    const home = await test.storage.workspaces.findById(user.homeWorkspaceId);
    if (home === null) throw new Error('no home');
    await people.join(home, member, 'member');
    const asked = await ask();
    const browser = await logIn(asked, member.email);
    const left = await browser.submit({
      action: 'allow',
      workspace: slug,
      tool: allTools,
      days: '1',
    });
    const { body } = await exchange(asked, left);
    expect(await mcpStatus(body.access_token)).toBe(200);
    await test.storage.members.remove(home.id, member.id);
    expect(await mcpStatus(body.access_token)).toBe(403);
  });

  it('keeps no code, token or text of a key', async () => {
    const { access_token: accessToken, refresh_token: refreshToken } = await signIn();
    const stored = [test.file, `${test.file}-wal`].map((file) => readFileSync(file, 'latin1'));
    for (const text of stored) {
      expect(text).not.toContain(refreshToken);
      expect(text).not.toContain(accessToken);
    }
  });

  it('lets an address begin so many in a minute', async () => {
    test.clock.currentMs += 60_000;
    const metadata = { client_name: 'x', redirect_uris: [redirectUri] };
    const statuses = await Promise.all(
      Array.from({ length: 61 }, async () => {
        const { status, headers } = await json('/oauth/register', metadata);
        if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        return status;
      }),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(60);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  });
});
