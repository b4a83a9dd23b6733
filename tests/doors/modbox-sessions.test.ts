import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createUser, deriveSecret, type User } from '@sandgate/core';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { modboxClient } from '../support/modbox-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
const password = 'correct horse battery';
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let user: User;

beforeAll(async () => {
  test = await createTestApp(folder);
  client = modboxClient(test);
  user = await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: 'person@example.com', password },
  );
});

const logIn = () => client.tokens(user.email, password);
const me = async (token: string) =>
  (await client.call('GET', '/auth/me', undefined, { token })).status;
const refresh = (refresh_token: string) => client.call('POST', '/auth/refresh', { refresh_token });

describe('an access token', () => {
  it('is a short EdDSA token that anybody can verify by the published keys', async () => {
    const { access_token } = await logIn();
    const { kid, ...header } = decodeProtectedHeader(access_token);
    expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt' });
    const published = await client.call('GET', '/.well-known/jwks.json');
    expect(published.headers.get('cache-control')).toBe('public, max-age=300');
    expect(published.body.keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid, use: 'sig', alg: 'EdDSA' },
    ]);
    const { payload } = await jwtVerify(access_token, createLocalJWKSet(published.body), {
      issuer: 'sandgate',
      audience: 'sandgate',
      currentDate: new Date(test.clock.currentMs),
    });
    expect(payload).toMatchObject({ sub: user.id, sid: expect.stringMatching(/^[0-9a-f]{24}$/) });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
  });

  it('works for 300 seconds, and not a millisecond longer', async () => {
    const { access_token } = await logIn();
    test.clock.currentMs += 299_999;
    expect(await me(access_token)).toBe(200);
    test.clock.currentMs += 1;
    expect(await me(access_token)).toBe(401);
  });

  it('is a credential at the native door and the microsandbox door, with the rights of the role', async () => {
    const { access_token } = await logIn();
    const mine = await test.api('GET', '/me', access_token);
    expect(mine.body).toMatchObject({
      api_key: null,
      user: { id: user.number, email: user.email },
      role: 'owner',
      scopes: ['*'],
    });
    const started = await test.call('sandbox.start', { sandbox: 'box' }, access_token);
    expect(started.status).toBe(200);
    const elsewhere = { sandbox: 'box', namespace: 'default' };
    const refused = await test.call('sandbox.start', elsewhere, access_token);
    expect([refused.status, refused.body.code]).toEqual([403, 3001]);
  });

  it('is counted and limited for each person, over all their sessions', async () => {
    test.limits.current = { minute: 3, hour: null, day: null, quota24h: null };
    test.clock.currentMs += 60_000;
    const one = await logIn();
    const other = await logIn();
    expect(await me(one.access_token)).toBe(200);
    expect(await me(other.access_token)).toBe(200);
    expect(await me(one.access_token)).toBe(200);
    expect(await me(other.access_token)).toBe(429);
    test.limits.current = { minute: null, hour: null, day: null, quota24h: null };
    const { body } = await test.api('GET', '/usage?size=4', one.access_token);
    expect(
      body.usage.map(({ user_id, api_key_id, endpoint, status_code }: never) => [
        user_id,
        api_key_id,
        endpoint,
        status_code,
      ]),
    ).toEqual([429, 200, 200, 200].map((status) => [user.number, null, '/auth/me', status]));
  });

  it('is refused when it was not signed by a key of this server as it signs', async () => {
    const { access_token } = await logIn();
    const { kid = '' } = decodeProtectedHeader(access_token);
    const claims = decodeJwt(access_token);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const jwk = await exportJWK(publicKey);
    const header = { alg: 'EdDSA', typ: 'at+jwt', kid };
    const sign = async (changes: object, key = privateKey) =>
      await new SignJWT(claims).setProtectedHeader({ ...header, ...changes }).sign(key);
    const [{ sealedPrivateKey } = { sealedPrivateKey: new Uint8Array() }] =
      await test.storage.signingKeys.list();
    expect(Buffer.from(sealedPrivateKey).includes('"d"')).toBe(false);
    const secret = deriveSecret(test.keyDependencies.serverKey(), 'access token signing keys');
    const forged = {
      'another key under our id': await sign({}),
      'a key in its header': await sign({ kid: undefined, jwk }),
      'a key of an address in its header': await sign({ jku: 'http://127.0.0.1:9/jwks.json' }),
      'an unknown id': await sign({ kid: 'unknown' }),
      'an id that is a path': await sign({ kid: '../../../dev/null' }),
      'an id that is a query': await sign({ kid: "' or 1=1 --" }),
      'no algorithm': new UnsecuredJWT(claims).encode(),
      'no algorithm, by its header': `${Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url')}.${access_token.split('.')[1]}.`,
      'HMAC under our public key': await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(Buffer.from(JSON.stringify((await test.people.accessTokens.keySet()).keys[0]))),
      'HMAC under a secret': await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(secret),
      'a changed signature': `${access_token.slice(0, -4)}AAAA`,
      nonsense: 'eyJhbGciOiJub25lIn0',
    };
    for (const [name, token] of Object.entries(forged)) {
      expect([name, await me(token)]).toEqual([name, 401]);
    }
    expect(await me(access_token)).toBe(200);
  });

  it('is refused with other claims than its own, even when this server signed it', async () => {
    const { access_token } = await logIn();
    const claims = decodeJwt(access_token);
    const key = await ownSigningKey();
    const sign = async (changes: object, typ = 'at+jwt') =>
      await new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ alg: 'EdDSA', kid: key.id, typ })
        .sign(key.privateKey);
    expect(await me(await sign({}))).toBe(200);
    const refused = {
      'another issuer': await sign({ iss: 'https://elsewhere.example' }),
      'another audience': await sign({ aud: 'another service' }),
      'no session': await sign({ sid: undefined }),
      "another person's session": await sign({ sub: '0'.repeat(24) }),
      'an unknown session': await sign({ sid: '0'.repeat(24) }),
      'no expiry': await sign({ exp: undefined }),
      'another kind of token': await sign({}, 'JWT'),
    };
    for (const [name, token] of Object.entries(refused)) {
      expect([name, await me(token)]).toEqual([name, 401]);
    }
  });

  /** What nobody can do without the server key: opens the private key as the server does. */
  async function ownSigningKey() {
    const { createSigningKeyRing } = await import(
      '../../packages/server/src/identity/signing-key-ring.ts'
    );
    const ring = createSigningKeyRing({
      ...test.keyDependencies,
      store: test.storage.signingKeys,
      rotateAfterMs: 30 * 86_400_000,
      tokenMs: 300_000,
    });
    return await ring.current();
  }

  it('outlives the rotation of its signing key, which then goes', async () => {
    const [newest] = await test.storage.signingKeys.list();
    const rotatesAtMs = (newest?.createdAtMs ?? 0) + 30 * 86_400_000;
    test.clock.currentMs = rotatesAtMs - 1;
    const before = await logIn();
    const { kid } = decodeProtectedHeader(before.access_token);
    expect(kid).toBe(newest?.id);
    test.clock.currentMs = rotatesAtMs;
    const after = await logIn();
    expect(decodeProtectedHeader(after.access_token).kid).not.toBe(kid);
    expect(await me(before.access_token)).toBe(200);
    expect((await test.people.accessTokens.keySet()).keys).toHaveLength(2);
    test.clock.currentMs += 600_000;
    expect((await test.people.accessTokens.keySet()).keys).toHaveLength(1);
  });
});

describe('a session', () => {
  it('is refreshed with new tokens of both kinds, and each refresh token is good once', async () => {
    const first = await logIn();
    test.clock.currentMs += 1_799_999;
    const { status, body } = await refresh(first.refresh_token);
    expect([status, body.success, body.tokens.refresh_expires_in]).toEqual([200, true, 1800]);
    expect(await me(body.tokens.access_token)).toBe(200);
    test.clock.currentMs += 1_800_000;
    expect((await refresh(body.tokens.refresh_token)).status).toBe(401);
  });

  it('ends when a used refresh token is shown again, for the thief and for the owner', async () => {
    const stolen = (await logIn()).refresh_token;
    const renewed = (await refresh(stolen)).body.tokens;
    test.clock.currentMs += 5_000;
    expect((await refresh(stolen)).text).toBe('{"detail":"This session has ended. Log in again"}');
    expect((await refresh(renewed.refresh_token)).status).toBe(401);
    expect(await me(renewed.access_token)).toBe(401);
    const { entries } = await test.storage.audit.list({ action: 'session.reuse' }, { limit: 9 });
    expect(entries).toMatchObject([{ target: `user:${user.number}`, actor: { kind: 'stranger' } }]);
  });

  it('survives an honest race of two refreshes: one wins, and the other is told', async () => {
    const { refresh_token } = await logIn();
    const answers = await Promise.all([refresh(refresh_token), refresh(refresh_token)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const won = answers.find(({ status }) => status === 200)?.body.tokens;
    expect(await me(won.access_token)).toBe(200);
    expect((await refresh(won.refresh_token)).status).toBe(200);
  });

  it('is listed and ended one by one, and all at once, and access tokens end with it', async () => {
    test.clock.currentMs += 86_400_000;
    const here = await logIn();
    test.clock.currentMs += 1;
    const there = await logIn();
    const token = here.access_token;
    const list = async () =>
      (await client.call('GET', '/auth/sessions', undefined, { token })).body.sessions;
    const sessions = await list();
    expect(sessions.map(({ current }: { current: boolean }) => current)).toEqual([false, true]);
    const path = `/auth/sessions/${sessions[0].id}`;
    expect((await client.call('DELETE', path, undefined, { token })).status).toBe(200);
    expect((await client.call('DELETE', path, undefined, { token })).status).toBe(404);
    expect(await me(there.access_token)).toBe(401);
    expect((await refresh(there.refresh_token)).status).toBe(401);

    const third = await logIn();
    const everywhere = await client.call('POST', '/auth/logout-all', undefined, { token });
    expect(everywhere.body).toEqual({ success: true, ended: 2 });
    for (const each of [here, third]) {
      expect(await me(each.access_token)).toBe(401);
      expect((await refresh(each.refresh_token)).status).toBe(401);
    }
  });

  it('ends at a logout, which answers the same to a token of nobody', async () => {
    const { access_token, refresh_token } = await logIn();
    const logOut = (token: string) => client.call('POST', '/auth/logout', { refresh_token: token });
    const answers = [await logOut(refresh_token), await logOut(refresh_token), await logOut('x')];
    expect(answers.map(({ text }) => text)).toEqual(Array(3).fill('{"success":true}'));
    expect(await me(access_token)).toBe(401);
  });

  it('ends with a new password, but for the one that set it, and at once when its user is disabled', async () => {
    const here = await logIn();
    const there = await logIn();
    const change = (old_password: string, new_password: string) =>
      client.call(
        'POST',
        '/auth/password',
        { old_password, new_password },
        { token: here.access_token },
      );
    expect((await change('wrong password', 'another good one')).status).toBe(401);
    expect((await change(password, 'short')).status).toBe(422);
    expect((await change(password, 'another good one')).status).toBe(200);
    expect(await me(here.access_token)).toBe(200);
    expect(await me(there.access_token)).toBe(401);
    expect((await client.logIn(user.email, password)).status).toBe(401);
    expect((await change('another good one', password)).status).toBe(200);
    await test.storage.users.update(user.id, { enabled: false });
    expect(await me(here.access_token)).toBe(401);
    await test.storage.users.update(user.id, { enabled: true });
  });

  it('ends with the server key that its tokens depend on', async () => {
    const { access_token, refresh_token } = await logIn();
    const { record } = await test.storage.serverKeys.replace('another', test.clock.currentMs);
    test.replaceServerKey({ version: record.version, secret: randomBytes(32) });
    expect(await me(access_token)).toBe(401);
    expect((await refresh(refresh_token)).status).toBe(401);
    expect(await me((await logIn()).access_token)).toBe(200);
  });
});

describe('a key', () => {
  it('manages no account, whoever it belongs to', async () => {
    const { text } = await test.issue();
    for (const [method, path] of [
      ['GET', '/auth/me'],
      ['GET', '/auth/sessions'],
      ['POST', '/auth/logout-all'],
    ] as const) {
      const { status, body } = await client.call(method, path, undefined, { token: text });
      expect([path, status]).toEqual([path, 403]);
      expect(body.detail).toMatch(/log in/);
    }
  });
});
