import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { msbPath, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What Modbox's page on authentication promises, line by line, against a server as users start it. */
const home = temporaryFolder();
const password = 'yourpassword';
let server: ServerProcess;
let jwt: string;
let refreshToken: string;
let apiToken: string;

async function call(
  method: string,
  path: string,
  { body, token, headers = {} }: { body?: object; token?: string; headers?: object } = {},
) {
  const response = await fetch(`${server.address}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
  const answer: ReturnType<typeof JSON.parse> = await response.json();
  return { status: response.status, body: answer };
}

/** `echo password | msb users create …`, as a process of its own: nothing secret in its arguments. */
async function createOwner(): Promise<string> {
  const child = spawn(
    process.execPath,
    [msbPath, 'users', 'create', '--owner', '--email', 'you@example.com', '--password-stdin'],
    {
      env: { ...process.env, HOME: home, SANDGATE_HOME: home },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  child.stdin.end(`${password}\n`);
  let printed = '';
  child.stdout.on('data', (data) => {
    printed += data;
  });
  await once(child, 'close');
  return printed;
}

beforeAll(async () => {
  server = await startServerProcess({ home });
});
afterAll(() => server.kill());

describe('the seed on authentication', () => {
  it('has no default user: the server prints a token for the first one, and takes one made beside it', async () => {
    expect(server.output()).toMatch(/setup_[0-9a-f]{40}/);
    expect(await createOwner()).toMatch(/^User 1 \(you@example.com\) was made/);
    const token = /setup_[0-9a-f]{40}/.exec(server.output())?.[0] ?? '';
    const body = { token, email: 'second@example.com', password };
    expect((await call('POST', '/auth/setup', { body })).status).toBe(403);
  });

  it('Login: POST /auth/login with username, password and recaptchaToken', async () => {
    const body = { username: 'you@example.com', password, recaptchaToken: '...' };
    const login = await call('POST', '/auth/login', { body });
    expect(login.body).toMatchObject({
      success: true,
      tokens: { expires_in: 300, refresh_expires_in: 1800 },
    });
    jwt = login.body.tokens.access_token;
    refreshToken = login.body.tokens.refresh_token;
    expect(jwt).toMatch(/^eyJ/);
  });

  it('Every request must include an Authorization header', async () => {
    expect((await call('GET', '/workspaces')).status).toBe(401);
    expect((await call('GET', '/workspaces', { token: 'nonsense' })).status).toBe(401);
  });

  it('Create a token: POST /api-tokens/ with a description', async () => {
    const body = { description: 'production-backend' };
    const made = await call('POST', '/api-tokens/', { body, token: jwt });
    apiToken = made.body.token;
    expect(apiToken).toMatch(/^mbx_/);
    expect(made.body.description).toBe('production-backend');
  });

  it('Use the token in every request, as Bearer', async () => {
    expect((await call('GET', '/workspaces', { token: apiToken })).status).toBe(200);
    const ran = await server.rpc('sandbox.metrics.get', {}, apiToken);
    expect(ran.status).toBe(200);
  });

  it('Refresh: POST /auth/refresh with the refresh token', async () => {
    const refreshed = await call('POST', '/auth/refresh', {
      body: { refresh_token: refreshToken },
    });
    expect(refreshed.body.tokens).toMatchObject({ expires_in: 300, refresh_expires_in: 1800 });
    jwt = refreshed.body.tokens.access_token;
    expect((await call('GET', '/auth/me', { token: jwt })).status).toBe(200);
  });

  it('You can find your workspace ID via GET /workspaces, and send it as X-Workspace-Id', async () => {
    const { workspaces } = (await call('GET', '/workspaces', { token: jwt })).body;
    const headers = { 'X-Workspace-Id': workspaces[0].id };
    for (const token of [jwt, apiToken]) {
      const me = await call('GET', '/api/v1/me', { token, headers });
      expect(me.body.workspace.uuid).toBe(workspaces[0].id);
    }
    const elsewhere = { 'X-Workspace-Id': '00000000-0000-4000-8000-000000000000' };
    const refused = await call('GET', '/auth/me', { token: jwt, headers: elsewhere });
    expect(refused.status).toBe(404);
  });

  it('Revoke a token: DELETE /api-tokens/{token}', async () => {
    const revoked = await call('DELETE', `/api-tokens/${apiToken}`, { token: jwt });
    expect(revoked.status).toBe(200);
    expect((await call('GET', '/workspaces', { token: apiToken })).status).toBe(401);
  });
});

describe('the same person in a browser', () => {
  it('has a session of cookies, also where a key is answered without the app, and logs out everywhere', async () => {
    const opened = await fetch(`${server.address}/api/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'you@example.com', password }),
    });
    expect(opened.status).toBe(200);
    await opened.body?.cancel();
    const pairs = opened.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
    const cookie = pairs.filter((pair) => !pair.startsWith('sandgate_code=')).join('; ');
    const csrf = /sandgate_csrf=([0-9a-f]+)/.exec(cookie)?.[1] ?? '';
    const ask = async (method: string, path: string, headers: object = {}) => {
      const response = await fetch(`${server.address}${path}`, {
        method,
        headers: { cookie, ...headers },
      });
      await response.body?.cancel();
      return response.status;
    };
    expect(await ask('GET', '/api/v1/me')).toBe(200);
    expect(await ask('GET', '/api/v1/verify')).toBe(204);
    expect(await ask('GET', '/api/v1/verify', { 'x-api-key': 'another' })).toBe(400);
    expect(await ask('DELETE', '/api/v1/me/sessions')).toBe(403);
    expect(await ask('DELETE', '/api/v1/me/sessions', { 'x-csrf-token': csrf })).toBe(200);
    expect(await ask('GET', '/api/v1/me')).toBe(401);
    expect((await call('GET', '/auth/me', { token: jwt })).status).toBe(401);
  });
});
