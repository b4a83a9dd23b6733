import { createUser } from '@sandgate/core';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  signInAt,
  startForgingProvider,
  startGithub,
  startOidcProvider,
} from '../support/identity-providers.ts';
import { modboxClient } from '../support/modbox-client.ts';
import { sampleBrowser } from '../support/sample-browser.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const publicUrl = 'http://127.0.0.1:9';
const app = 'https://app.example/signed-in';
const other = 'https://app.example/elsewhere';
const password = 'correct horse battery';
const accounts = {
  alice: { email: 'Alice@Example.com', email_verified: true, name: 'Alice' },
  bob: { email: 'bob@example.com', email_verified: false, name: 'Bob' },
  carol: { email: 'carol@example.com', name: 'Carol' },
  dave: { email: 'dave@example.com', email_verified: true, name: 'Dave' },
  erin: { email: 'erin@example.com', email_verified: true, name: 'Erin' },
};

let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let google: Awaited<ReturnType<typeof startOidcProvider>>;
let forger: Awaited<ReturnType<typeof startForgingProvider>>;
let github: Awaited<ReturnType<typeof startGithub>>;
type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
let forgersKey: PrivateKey;
const folder = temporaryFolder();

beforeAll(async () => {
  const callbacks = ['google', 'microsoft'].map((name) => `${publicUrl}/auth/sso/${name}/callback`);
  google = await startOidcProvider(accounts, callbacks);
  const pair = await generateKeyPair('ES256', { extractable: true });
  forgersKey = pair.privateKey;
  const published = { ...(await exportJWK(pair.publicKey)), kid: 'theirs', alg: 'ES256' };
  forger = await startForgingProvider([published]);
  github = await startGithub();
  const oidc = { kind: 'oidc', clientId: 'sandgate', clientSecret: 'client secret' } as const;
  test = await createTestApp(folder, {
    identity: {
      publicUrl,
      signOn: {
        providers: {
          google: { ...oidc, issuer: google.address, trustEmail: false },
          microsoft: { ...oidc, issuer: google.address, trustEmail: true },
          forger: { ...oidc, issuer: forger.address, trustEmail: false },
          github: {
            kind: 'github',
            clientId: 'sandgate',
            clientSecret: 'client secret',
            baseUrl: github.address,
            apiUrl: github.address,
          },
        },
        returnUrls: [app, other],
        allowSignUp: false,
      },
    },
  });
  client = modboxClient(test);
  for (const name of ['alice', 'bob', 'carol']) {
    await createUser(
      { ...test.keyDependencies, hasher: test.people.hasher },
      { email: `${name}@example.com`, password },
    );
  }
});
afterAll(async () => {
  await Promise.all([google.close(), forger.close(), github.close()]);
});

/** Begins a sign-in, as a browser does. */
async function begin(provider: string, query = '') {
  const begun = await client.call('GET', `/auth/sso/${provider}${query}`);
  const [cookie = ''] = (begun.headers.get('set-cookie') ?? '').split(';');
  return { status: begun.status, url: begun.headers.get('location') ?? '', cookie, begun };
}

/** Comes back to the server with what the provider gave. */
const end = (callback: string, cookie: string) =>
  client.call('GET', callback.replace(publicUrl, ''), undefined, { headers: { cookie } });

async function signIn(provider: string, account: string, query = '') {
  google.state.current = account;
  const { url, cookie } = await begin(provider, query);
  return await end(await signInAt(url, publicUrl), cookie);
}

const fragmentOf = (headers: Headers) =>
  new URLSearchParams((headers.get('location') ?? '').split('#')[1]);

/** What a sign-in came to that its browser was told of at the address that it returns to. */
const errorOf = ({ status, headers }: { readonly status: number; readonly headers: Headers }) => [
  status,
  fragmentOf(headers).get('error'),
];
const refused = [303, 'sign_in_failed'];

const emailOf = async (token: string | null) =>
  (await client.call('GET', '/auth/me', undefined, { token })).body.email;

describe('single sign-on', () => {
  it('sends the browser to the provider with PKCE, state and nonce, and the rest in a sealed cookie', async () => {
    const { status, url, begun } = await begin('google');
    expect(status).toBe(302);
    const { searchParams } = new URL(url);
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: 'sandgate',
      response_type: 'code',
      redirect_uri: `${publicUrl}/auth/sso/google/callback`,
      scope: 'openid email profile',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const cookie = begun.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(cookie).not.toContain(searchParams.get('state'));
    expect((await begin('nobody')).status).toBe(404);
  });

  it('comes back with tokens in the fragment, to the account with the verified address', async () => {
    const { status, headers } = await signIn('google', 'alice');
    expect(status).toBe(303);
    expect(headers.get('location')?.startsWith(`${app}#access_token=eyJ`)).toBe(true);
    expect(headers.get('set-cookie')).toMatch(/^sandgate_sign_in=; Max-Age=0/);
    const fields = fragmentOf(headers);
    expect([...fields.keys()]).toEqual([
      'access_token',
      'refresh_token',
      'expires_in',
      'refresh_expires_in',
      'token_type',
    ]);
    expect(await emailOf(fields.get('access_token'))).toBe('alice@example.com');
    expect((await client.logIn('alice@example.com', password)).status).toBe(200);
  });

  it('returns to allowed addresses only, compared whole', async () => {
    const returns = async (to: string) =>
      (await begin('google', `?return_to=${encodeURIComponent(to)}`)).status;
    expect(await returns(other)).toBe(302);
    for (const to of [
      'https://evil.example/',
      `${app}/../evil`,
      `${app}.evil.example`,
      `${app}@evil.example`,
      'https://app.example/',
      '//evil.example',
      'javascript:alert(1)',
      '',
    ]) {
      expect([to, await returns(to)]).toEqual([to, 400]);
    }
    google.state.current = 'alice';
    const query = `?return_to=${encodeURIComponent(other)}`;
    const { headers } = await signIn('google', 'alice', query);
    expect(headers.get('location')?.startsWith(`${other}#`)).toBe(true);
  });

  it('tells a person on a page what cannot lead back, and a program in JSON', async () => {
    const visit = (path: string, accept: string) =>
      client.call('GET', path, undefined, { headers: { accept } });
    const html = 'text/html,application/xhtml+xml';
    for (const [path, status] of [
      ['/auth/sso/google/callback?code=x&state=y', 401],
      ['/modbox/auth/sso/google/callback?error=%3Cscript%3E', 401],
      ['/auth/sso/google?return_to=https://evil.example/', 400],
      ['/auth/sso/nobody', 404],
    ] as const) {
      const page = await visit(path, html);
      expect([path, page.status]).toEqual([path, status]);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(page.headers.get('location')).toBeNull();
      expect(page.text).toContain('<h1>Sign-in failed</h1>');
      expect(page.text).not.toMatch(/<script|evil/);
      const json = await visit(path, 'application/json');
      expect([json.status, json.body.detail]).toEqual([status, expect.any(String)]);
    }
    expect((await visit('/auth/me', html)).headers.get('content-type')).toContain('json');
  });

  it('brings whoever lets a program in back to the page for that, with a cookie and no token', async () => {
    const query = `?answer=page&return_to=${encodeURIComponent(other)}`;
    const { status, headers } = await signIn('google', 'alice', query);
    expect(status).toBe(303);
    expect(headers.get('location')).toBe(`${publicUrl}/oauth/sign-in`);
    const cookie = headers.getSetCookie().find((line) => line.startsWith('sandgate_oauth_person='));
    expect(cookie).toMatch(/; Max-Age=300; Path=\/oauth\/sign-in; HttpOnly; SameSite=Lax$/);
    expect(await emailOf(/=([^;]+)/.exec(cookie ?? '')?.[1] ?? null)).toBe('alice@example.com');
  });

  it('hands out a code instead, good once and for a minute', async () => {
    const exchange = (code: string | null) => client.call('POST', '/auth/sso/exchange', { code });
    const first = fragmentOf((await signIn('google', 'alice', '?answer=code')).headers);
    expect([...first.keys()]).toEqual(['code']);
    const exchanged = await exchange(first.get('code'));
    expect(await emailOf(exchanged.body.tokens.access_token)).toBe('alice@example.com');
    expect((await exchange(first.get('code'))).status).toBe(401);
    const late = fragmentOf((await signIn('google', 'alice', '?answer=code')).headers).get('code');
    test.clock.currentMs += 60_000;
    expect((await exchange(late)).status).toBe(401);
    const ended = fragmentOf((await signIn('google', 'alice', '?answer=code')).headers).get('code');
    const alice = await test.storage.users.findByEmail('alice@example.com');
    await test.storage.sessions.endAll(alice?.id ?? '', test.clock.currentMs);
    expect((await exchange(ended)).status).toBe(401);
    const aged = fragmentOf((await signIn('google', 'alice', '?answer=code')).headers).get('code');
    test.clock.currentMs += 30_000;
    expect((await exchange(aged)).body.tokens).toMatchObject({
      expires_in: 270,
      refresh_expires_in: 1_770,
    });
  });

  it('gives the page of this server a session of cookies for a code, in that browser alone', async () => {
    const { headers } = await signIn('google', 'alice', '?answer=code');
    const code = fragmentOf(headers).get('code');
    const browser = sampleBrowser(test);
    const exchange = (from: ReturnType<typeof sampleBrowser>) =>
      from.send('POST', '/api/v1/session/exchange', { body: { code } });
    const elsewhere = await exchange(sampleBrowser(test));
    expect([elsewhere.status, elsewhere.code]).toEqual([401, 'sign_in_failed']);
    const [, kept = ''] = headers.getSetCookie();
    expect(kept).toBe(
      `sandgate_code=${code}; Max-Age=60; Path=/api/v1/session; HttpOnly; SameSite=Strict`,
    );
    browser.keep(kept);
    expect((await exchange(browser)).body.user.email).toBe('alice@example.com');
    expect((await browser.send('GET', '/api/v1/me')).body.user.email).toBe('alice@example.com');
    browser.keep(kept);
    expect((await exchange(browser)).status).toBe(401);
    const { providers } = (await browser.send('GET', '/api/v1/session/options')).body;
    expect(providers).toEqual(['google', 'microsoft', 'forger', 'github']);
  });

  it('links by a verified address alone, unless the provider is trusted with it', async () => {
    expect(errorOf(await signIn('google', 'bob'))).toEqual(refused);
    expect(errorOf(await signIn('google', 'carol'))).toEqual(refused);
    expect((await signIn('microsoft', 'carol')).status).toBe(303);
    const nobody = await signIn('google', 'dave', `?return_to=${encodeURIComponent(other)}`);
    expect(nobody.headers.get('location')?.startsWith(`${other}#`)).toBe(true);
    expect(nobody.headers.get('set-cookie')).toMatch(/^sandgate_sign_in=; Max-Age=0/);
    expect(Object.fromEntries(fragmentOf(nobody.headers))).toEqual({
      error: 'sign_in_failed',
      error_description: 'There is no account with that e-mail address',
    });
    expect(await test.storage.users.findByEmail('dave@example.com')).toBeNull();
  });

  it('adds an identity of any address to an account that is logged in, while it is', async () => {
    const { access_token: token, refresh_token } = await client.tokens('bob@example.com', password);
    const link = async () => {
      const begun = await client.call('POST', '/auth/sso/google/link', {}, { token });
      const [cookie = ''] = (begun.headers.get('set-cookie') ?? '').split(';');
      google.state.current = 'bob';
      return { cookie, callback: await signInAt(begun.body.url, publicUrl) };
    };
    const { cookie, callback } = await link();
    expect((await end(callback, cookie)).status).toBe(303);
    const fields = fragmentOf((await signIn('google', 'bob')).headers);
    expect(await emailOf(fields.get('access_token'))).toBe('bob@example.com');
    const late = await link();
    await client.call('POST', '/auth/logout', { refresh_token });
    expect(errorOf(await end(late.callback, late.cookie))).toEqual(refused);
  });

  it('adds no identity for a session that has run out', async () => {
    const { access_token: token } = await client.tokens('carol@example.com', password);
    const begun = await client.call('POST', '/auth/sso/google/link', {}, { token });
    const [cookie = ''] = (begun.headers.get('set-cookie') ?? '').split(';');
    google.state.current = 'carol';
    const callback = await signInAt(begun.body.url, publicUrl);
    const sessions = test.storage.sessions;
    const find = vi.spyOn(sessions, 'findWithUser').mockImplementationOnce(async (id) => {
      const found = await sessions.findWithUser(id);
      if (found === null) return null;
      return { ...found, session: { ...found.session, expiresAtMs: test.clock.currentMs } };
    });
    expect(errorOf(await end(callback, cookie))).toEqual(refused);
    find.mockRestore();
  });

  it('takes what a stranger set up under an address away from them, when its owner signs in', async () => {
    const email = 'erin@example.com';
    const squatter = await createUser(
      { ...test.keyDependencies, hasher: test.people.hasher },
      { email, password },
    );
    await test.storage.users.update(squatter.id, { emailVerified: false });
    const { access_token } = await client.tokens(email, password);
    const made = await client.call('POST', '/api-tokens', {}, { token: access_token });
    const { headers } = await signIn('google', 'erin');
    expect(await emailOf(fragmentOf(headers).get('access_token'))).toBe(email);
    expect(await emailOf(access_token)).toBeUndefined();
    expect((await test.api('GET', '/me', made.body.token)).status).toBe(401);
    expect((await client.logIn(email, password)).status).toBe(401);
  });

  it('refuses another browser, another state, an old attempt and a code that was used', async () => {
    google.state.current = 'alice';
    const mine = await begin('google');
    const theirs = await begin('google');
    const callback = await signInAt(mine.url, publicUrl);
    expect((await end(callback, '')).status).toBe(401);
    expect(errorOf(await end(callback, theirs.cookie))).toEqual(refused);
    expect((await end(callback, 'sandgate_sign_in=AAAA')).status).toBe(401);
    const elsewhere = callback.replace('/google/', '/microsoft/');
    expect((await end(elsewhere, mine.cookie)).status).toBe(401);
    const tampered = callback.replace(/state=[^&]+/, 'state=another');
    expect(errorOf(await end(tampered, mine.cookie))).toEqual(refused);
    expect(errorOf(await end(callback, mine.cookie))).toEqual([303, null]);
    expect(errorOf(await end(callback, mine.cookie))).toEqual(refused);
    const late = await begin('google');
    const lateCallback = await signInAt(late.url, publicUrl);
    test.clock.currentMs += 600_000;
    expect((await end(lateCallback, late.cookie)).status).toBe(401);
  });

  it('trusts no token of the provider but the one for this sign-in, signed by its published key', async () => {
    const attempt = async (make: ((nonce: string) => Promise<string> | string) | null) => {
      const { url, cookie } = await begin('forger');
      const { searchParams } = new URL(url);
      forger.state.idToken = make === null ? null : await make(searchParams.get('nonce') ?? '');
      const callback = `${publicUrl}/auth/sso/forger/callback?code=x&state=${searchParams.get('state')}`;
      return errorOf(await end(callback, cookie));
    };
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const claims = (nonce: string) => ({
      iss: forger.address,
      aud: 'sandgate',
      sub: 'somebody',
      nonce,
      email: 'alice@example.com',
      email_verified: true,
      iat: nowSeconds,
      exp: nowSeconds + 300,
    });
    const sign =
      (changes: object, header: object = {}, key: PrivateKey | Uint8Array = forgersKey) =>
      async (nonce: string) =>
        await new SignJWT({ ...claims(nonce), ...changes })
          .setProtectedHeader({ alg: 'ES256', kid: 'theirs', ...header })
          .sign(key);
    const stranger = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(stranger.publicKey);
    expect(await attempt(sign({}))).toEqual([303, null]);
    const untrusted = {
      'another nonce': sign({ nonce: 'another' }),
      'no nonce': sign({ nonce: undefined }),
      'another issuer': sign({ iss: 'https://accounts.example' }),
      'another audience': sign({ aud: 'another client' }),
      'an expired token': sign({ exp: nowSeconds - 600, iat: nowSeconds - 900 }),
      'no signature': (nonce: string) => new UnsecuredJWT(claims(nonce)).encode(),
      'a signature of another key': sign({}, {}, stranger.privateKey),
      'a key in its header': sign({}, { kid: undefined, jwk }, stranger.privateKey),
      'an unknown key id': sign({}, { kid: '../../theirs' }, stranger.privateKey),
      'an HMAC under the client secret': sign(
        {},
        { alg: 'HS256' },
        new TextEncoder().encode('client secret'),
      ),
      'an expired code': null,
    };
    for (const [name, make] of Object.entries(untrusted)) {
      expect([name, await attempt(make)]).toEqual([name, refused]);
    }
  });
});

describe('sign-on with GitHub', () => {
  const mail = (email: string, verified: boolean) => ({ email, primary: true, verified });

  async function signInWithGithub(code = 'a code') {
    const { url, cookie } = await begin('github');
    const { searchParams } = new URL(url);
    github.state.codes.set(code, searchParams.get('code_challenge') ?? '');
    const path = `${publicUrl}/auth/sso/github/callback`;
    const callback = `${path}?code=${encodeURIComponent(code)}&state=${searchParams.get('state')}`;
    return { answer: await end(callback, cookie), callback, cookie };
  }

  it('finds the account by the verified primary address, and then by the identity', async () => {
    github.state.person = { id: 7, login: 'alice', emails: [mail('alice@example.com', true)] };
    const { answer, callback, cookie } = await signInWithGithub();
    const token = fragmentOf(answer.headers).get('access_token');
    expect(await emailOf(token)).toBe('alice@example.com');
    expect(errorOf(await end(callback, cookie))).toEqual(refused);
    github.state.person = { id: 7, login: 'renamed', emails: [mail('new@example.com', false)] };
    const again = (await signInWithGithub()).answer;
    expect(await emailOf(fragmentOf(again.headers).get('access_token'))).toBe('alice@example.com');
  });

  it('refuses an address that is not verified, and a state or challenge of another sign-in', async () => {
    github.state.person = { id: 8, login: 'mallory', emails: [mail('carol@example.com', false)] };
    expect(errorOf((await signInWithGithub()).answer)).toEqual(refused);
    const { url, cookie } = await begin('github');
    const state = new URL(url).searchParams.get('state');
    github.state.codes.set('stolen', 'the challenge of somebody else');
    const path = `${publicUrl}/auth/sso/github/callback`;
    for (const query of [
      `code=stolen&state=${state}`,
      'code=stolen&state=another',
      `state=${state}`,
    ]) {
      expect(errorOf(await end(`${path}?${query}`, cookie))).toEqual(refused);
    }
  });
});
