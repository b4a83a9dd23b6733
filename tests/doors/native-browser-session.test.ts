import type { User } from '@sandgate/core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { absentTargets, routeSamples, samplePath } from '../support/route-samples.ts';
import { sampleBrowser } from '../support/sample-browser.ts';
import { samplePassword, samplePeople } from '../support/sample-people.ts';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let user: User;

beforeAll(async () => {
  test = await createTestApp(folder);
  user = await samplePeople(test).newUser();
});
beforeEach(() => {
  // Past every window, so that no test counts against another.
  test.clock.currentMs += 600_000;
});

async function loggedIn() {
  const browser = sampleBrowser(test);
  const body = { email: user.email, password: samplePassword };
  const answer = await browser.send('POST', '/api/v1/session', { body });
  expect(answer.status).toBe(200);
  return { browser, answer };
}

describe('the session of a browser', () => {
  it('is in cookies that no script reads and no other site sends, and in no answer', async () => {
    const { browser, answer } = await loggedIn();
    expect(answer.body).toEqual({
      user: { id: user.number, uid: user.id, email: user.email, name: user.name },
      csrf_token: browser.cookie('sandgate_csrf'),
      expires_in: 300,
      refresh_expires_in: 1800,
    });
    expect(answer.text).not.toMatch(/eyJ|mbr_/);
    const [access, refresh, csrf] = answer.set;
    const end = 'SameSite=Strict';
    expect(access).toMatch(
      new RegExp(`^sandgate_access=eyJ[^;]+; Max-Age=300; Path=/api/v1; HttpOnly; ${end}$`),
    );
    expect(refresh).toMatch(
      new RegExp(
        `^sandgate_refresh=mbr_[^;]+; Max-Age=1800; Path=/api/v1/session; HttpOnly; ${end}$`,
      ),
    );
    expect(csrf).toMatch(new RegExp(`^sandgate_csrf=[0-9a-f]{40}; Max-Age=1800; Path=/; ${end}$`));
  });

  it('is a credential, with the role of its person', async () => {
    const { browser } = await loggedIn();
    const me = await browser.send('GET', '/api/v1/me');
    expect(me.body).toMatchObject({ user: { id: user.number }, role: 'owner', api_key: null });
    const body = { name: 'From a page' };
    expect((await browser.send('POST', '/api/v1/workspaces', { body })).status).toBe(200);
    expect((await browser.send('GET', '/api/v1/verify')).status).toBe(204);
  });

  it('is refused to a wrong password, in no other words than at any other door', async () => {
    const browser = sampleBrowser(test);
    const body = { email: user.email, password: 'wrong password' };
    const { status, code, set } = await browser.send('POST', '/api/v1/session', { body });
    expect([status, code, set]).toEqual([401, 'login_failed', []]);
  });

  it('is renewed by its refresh cookie, of which each is good once', async () => {
    const { browser } = await loggedIn();
    const before = browser.cookie('sandgate_refresh') ?? '';
    test.clock.currentMs += 299_999;
    expect((await browser.send('GET', '/api/v1/me')).status).toBe(200);
    test.clock.currentMs += 1;
    expect((await browser.send('GET', '/api/v1/me')).status).toBe(401);
    const renewed = await browser.send('POST', '/api/v1/session/refresh');
    expect([renewed.status, renewed.body.user.id]).toEqual([200, user.number]);
    expect(browser.cookie('sandgate_refresh')).not.toBe(before);
    expect((await browser.send('GET', '/api/v1/me')).status).toBe(200);
    const copy = sampleBrowser(test);
    copy.keep(`sandgate_refresh=${before}; Path=/api/v1/session`);
    copy.keep('sandgate_csrf=x; Path=/');
    test.clock.currentMs += 5_000;
    expect((await copy.send('POST', '/api/v1/session/refresh')).code).toBe('session_ended');
    expect((await browser.send('GET', '/api/v1/me')).status).toBe(401);
  });

  it('survives two tabs that renew it at once', async () => {
    const { browser } = await loggedIn();
    const renew = () => browser.send('POST', '/api/v1/session/refresh');
    const answers = await Promise.all([renew(), renew()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    expect((await browser.send('GET', '/api/v1/me')).status).toBe(200);
    expect((await renew()).status).toBe(200);
  });

  it('ends at a logout, here and at once, also when it had expired', async () => {
    const { browser } = await loggedIn();
    const token = browser.cookie('sandgate_access') ?? '';
    test.clock.currentMs += 300_000;
    const out = await browser.send('DELETE', '/api/v1/session');
    expect([out.status, out.set.length]).toEqual([204, 4]);
    expect(browser.cookie('sandgate_refresh')).toBeUndefined();
    test.clock.currentMs -= 300_000;
    expect((await test.api('GET', '/me', token)).status).toBe(401);
    test.clock.currentMs += 300_000;
    expect((await browser.send('DELETE', '/api/v1/session')).status).toBe(204);
    expect((await browser.send('POST', '/api/v1/session/refresh')).status).toBe(401);
  });

  it('is Secure where the server is reached encrypted', async () => {
    const identity = { publicUrl: 'https://sandgate.example' };
    const encrypted = await createTestApp(temporaryFolder(), { identity });
    const person = await samplePeople(encrypted).newUser();
    const browser = sampleBrowser(encrypted, { origin: 'https://sandgate.example' });
    const body = { email: person.email, password: samplePassword };
    const { set } = await browser.send('POST', '/api/v1/session', { body });
    expect(set).toHaveLength(4);
    for (const cookie of set) expect(cookie).toMatch(/; SameSite=Strict; Secure$/);
    expect((await browser.send('DELETE', '/api/v1/session')).status).toBe(204);
  });
});

describe('beside the session of a browser', () => {
  it('no other credential is taken, and the same one twice is one', async () => {
    const { browser } = await loggedIn();
    const { text } = await test.issue();
    const other = (await loggedIn()).browser.cookie('sandgate_access') ?? '';
    for (const headers of [{ 'x-api-key': text }, { authorization: `Bearer ${other}` }]) {
      const { status, code } = await browser.send('GET', '/api/v1/me', { headers });
      expect([status, code]).toEqual([400, 'credential_ambiguous']);
    }
    const same = { authorization: `Bearer ${browser.cookie('sandgate_access')}` };
    expect((await browser.send('GET', '/api/v1/me', { headers: same })).status).toBe(200);
    // Shown by a program, which no page can make do it.
    const byProgram = { ...same, 'x-csrf-token': '', origin: '' };
    const put = { body: { name: 'New' }, headers: byProgram };
    expect((await browser.send('PUT', '/api/v1/me', put)).status).toBe(200);
    const two = { cookie: `sandgate_access=eyJa; sandgate_access=eyJb` };
    expect((await browser.send('GET', '/api/v1/me', { headers: two })).status).toBe(400);
  });

  it('no key is taken as a cookie', async () => {
    const { text } = await test.issue();
    const headers = { cookie: `sandgate_access=${text}` };
    expect((await sampleBrowser(test).send('GET', '/api/v1/me', { headers })).status).toBe(401);
  });

  it('no cookie opens other doors, ports of sandboxes or terminals', async () => {
    const { browser } = await loggedIn();
    const cookie = `sandgate_access=${browser.cookie('sandgate_access')}`;
    const rpc = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'sandbox.metrics.get',
      params: {},
    });
    for (const [method, path, body] of [
      ['POST', '/api/v1/rpc', rpc],
      ['GET', '/workspaces', undefined],
      ['GET', '/auth/me', undefined],
      ['POST', '/mcp', rpc],
      ['GET', '/api/v1/sandboxes/box/ports/80/', undefined],
      ['GET', '/api/v1/sandboxes/box/terminal', undefined],
    ] as const) {
      const headers = { cookie, 'content-type': 'application/json' };
      const answer = await test.app.request(path, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });
});

/** What a page of another origin can make a browser do, and what it can guess. */
const forgeries: readonly (readonly [string, object])[] = [
  ['no header of ours', { 'x-csrf-token': '' }],
  ['a guessed header', { 'x-csrf-token': 'f'.repeat(40) }],
  ['another origin', { origin: 'https://evil.example' }],
  ['another port', { origin: 'http://localhost:8080' }],
  ['an origin that is nobody\u2019s', { origin: 'null' }],
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another host of the same site', { 'sec-fetch-site': 'same-site' }],
];

describe('a page of another origin', () => {
  const changing = allRoutes.filter(
    (route) => route.method !== 'get' && route.forwards !== true && route.takesTickets !== true,
  );
  const guarded = changing.filter(({ access }) => access !== 'public');

  it.each(guarded.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const))(
    'changes nothing by the cookies of a person at %s',
    async (_, route) => {
      const { browser } = await loggedIn();
      const sample = routeSamples[route.operationId]?.(absentTargets) ?? {};
      const path = samplePath(route.path, sample, absentTargets);
      const before = storedState(folder);
      for (const [name, headers] of forgeries) {
        const { body } = sample;
        const { status, code } = await browser.send(route.method.toUpperCase(), path, {
          ...(body === undefined ? {} : { body }),
          headers,
        });
        expect([name, status, code]).toEqual([name, 403, 'origin_refused']);
      }
      expect(storedState(folder) === before).toBe(true);
    },
  );

  it.each([
    ['POST', '/api/v1/session/refresh'],
    ['DELETE', '/api/v1/session'],
  ])('neither renews nor ends a session: %s %s', async (method, path) => {
    const { browser } = await loggedIn();
    for (const [name, headers] of forgeries) {
      const { status } = await browser.send(method, path, { headers });
      expect([name, status]).toEqual([name, 403]);
    }
    expect((await browser.send('POST', '/api/v1/session/refresh')).status).toBe(200);
  });

  it.each([
    ['/api/v1/session', { email: 'sample@example.com', password: samplePassword }],
    ['/api/v1/session/exchange', { code: 'code_x' }],
    ['/api/v1/setup', { token: 'x', email: 'x@example.com', password: samplePassword }],
    ['/api/v1/invitations/accept', { token: 'x', password: samplePassword }],
  ])('logs nobody in: %s', async (path, body) => {
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }]) {
      const answer = await sampleBrowser(test).send('POST', path, { body, headers });
      expect([answer.status, answer.code, answer.set]).toEqual([403, 'origin_refused', []]);
    }
  });
});

describe('the first visit', () => {
  it('makes the owner by the setup token, once, and shows when it is wanted', async () => {
    const fresh = await createTestApp(temporaryFolder());
    const browser = sampleBrowser(fresh);
    const options = async () => (await browser.send('GET', '/api/v1/session/options')).body;
    expect(await options()).toEqual({ setup: true, captcha: false, providers: [] });
    const setUp = (token: string, email = 'first@example.com') =>
      browser.send('POST', '/api/v1/setup', { body: { token, email, password: samplePassword } });
    expect((await setUp('setup_wrong')).code).toBe('setup_refused');
    const token = fresh.people.setup.token ?? '';
    expect((await setUp(token)).body.user).toMatchObject({ email: 'first@example.com' });
    const me = await browser.send('GET', '/api/v1/me');
    expect(me.body).toMatchObject({ role: 'owner', workspace: { slug: 'default' } });
    expect((await options()).setup).toBe(false);
    expect((await setUp(token, 'second@example.com')).code).toBe('setup_refused');
  });

  it('of an invited person makes their account and logs them in', async () => {
    const { browser: owner } = await loggedIn();
    const home = user.homeWorkspaceId;
    const body = { email: 'invited@example.com', role: 'viewer' };
    const made = await owner.send('POST', `/api/v1/workspaces/${home}/invitations`, { body });
    const browser = sampleBrowser(test);
    const accept = () =>
      browser.send('POST', '/api/v1/invitations/accept', {
        body: { token: made.body.token, password: samplePassword, name: 'Invited' },
      });
    expect((await accept()).body.user).toMatchObject({ email: 'invited@example.com' });
    const there = await browser.send('GET', `/api/v1/workspaces/${home}`);
    expect(there.body.role).toBe('viewer');
    expect((await accept()).code).toBe('invitation_invalid');
  });
});
