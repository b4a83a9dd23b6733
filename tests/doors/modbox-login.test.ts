import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createUser, type User } from '@sandgate/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPasswordHasher } from '../../packages/server/src/identity/password-hasher.ts';
import { createCaptchaVerifier } from '../../packages/server/src/identity/verify-captcha.ts';
import { modboxClient } from '../support/modbox-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
const password = 'correct horse battery';
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let people = 0;

/** A person whom no other test uses: tries are counted for each. */
async function newPerson(): Promise<User> {
  people += 1;
  return await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: `person${people}@example.com`, name: 'A person', password },
  );
}

beforeAll(async () => {
  test = await createTestApp(folder);
  client = modboxClient(test);
});
beforeEach(() => {
  // Past every window, so that no test counts against another.
  test.clock.currentMs += 600_000;
});

describe('POST /auth/login', () => {
  it('answers as documented, at the root and at /modbox', async () => {
    const { email } = await newPerson();
    for (const prefix of ['', '/modbox']) {
      const { status, body } = await client.call('POST', `${prefix}/auth/login`, {
        username: email,
        password,
        recaptchaToken: 'whatever a client sends',
      });
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        tokens: {
          access_token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
          refresh_token: expect.stringMatching(/^mbr_[0-9a-f]{64}$/),
          expires_in: 300,
          refresh_expires_in: 1800,
          token_type: 'Bearer',
        },
      });
    }
  });

  it('takes an address in any case and with space around it', async () => {
    const { email } = await newPerson();
    expect((await client.logIn(` ${email.toUpperCase()} `, password)).status).toBe(200);
  });

  it('refuses a wrong password, nobody, no password and a disabled account alike', async () => {
    const right = await newPerson();
    const disabled = await newPerson();
    await test.storage.users.update(disabled.id, { enabled: false });
    const without = await newPerson();
    await test.storage.users.update(without.id, { passwordHash: null });
    const answers = [
      await client.logIn(right.email, 'wrong password'),
      await client.logIn('nobody@example.com', password),
      await client.logIn(disabled.email, password),
      await client.logIn(without.email, password),
    ];
    for (const { status, text, headers } of answers) {
      expect([status, text]).toEqual([401, '{"detail":"Wrong e-mail address or password"}']);
      expect([...headers.keys()]).toEqual([...(answers[0]?.headers.keys() ?? [])]);
    }
    expect(test.refusals.slice(-4)).toEqual(Array(4).fill('login_failed'));
  });

  it('does one verification of the same cost for everyone', async () => {
    const { email } = await newPerson();
    const { hasher } = test.people;
    const verified: (string | null)[] = [];
    const { verify } = hasher;
    const watched = hasher as { -readonly [Name in keyof typeof hasher]: (typeof hasher)[Name] };
    watched.verify = (hash, text) => {
      verified.push(hash);
      return verify(hash, text);
    };
    await client.logIn(email, 'wrong password');
    await client.logIn('nobody@example.com', password);
    watched.verify = verify;
    expect(verified).toEqual([expect.stringMatching(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/), null]);
  });

  it('lists every problem of a body, as FastAPI does', async () => {
    const { status, body } = await client.call('POST', '/auth/login', { username: 1 });
    expect(status).toBe(422);
    expect(body.detail.map(({ loc }: { loc: unknown }) => loc)).toEqual([
      ['body', 'username'],
      ['body', 'password'],
    ]);
    expect((await client.call('GET', '/auth/login')).status).toBe(405);
    expect((await client.call('GET', '/auth/nothing')).text).toBe('{"detail":"Not Found"}');
  });

  it('counts tries for each account, says exactly when the next one counts, and keeps sessions', async () => {
    const { email } = await newPerson();
    const { access_token, refresh_token } = await client.tokens(email, password);
    for (let tries = 0; tries < 10; tries += 1) {
      expect((await client.logIn(email, 'wrong password')).status).toBe(401);
    }
    const refused = await client.logIn(email, password);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '300']);
    expect((await client.logIn(email.toUpperCase(), password)).status).toBe(429);
    expect((await client.call('GET', '/auth/me', undefined, { token: access_token })).status).toBe(
      200,
    );
    expect((await client.call('POST', '/auth/refresh', { refresh_token })).status).toBe(200);
    test.clock.currentMs += 299_999;
    expect((await client.logIn(email, password)).headers.get('retry-after')).toBe('1');
    test.clock.currentMs += 1;
    expect((await client.logIn(email, password)).status).toBe(200);
  });

  it('takes no more than the budget of tries that come at once', async () => {
    const { email } = await newPerson();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => client.logIn(email, 'wrong password')),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
  });

  it('counts tries for each address too', async () => {
    for (let tries = 0; tries < 60; tries += 1) {
      await client.logIn(`nobody${tries}@example.com`, password);
    }
    const { email } = await newPerson();
    const refused = await client.logIn(email, password);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  });

  it('hashes again when hashes have become dearer', async () => {
    const user = await newPerson();
    const cheap = createPasswordHasher({ memoryKib: 32, iterations: 1 });
    const passwordHash = await cheap.hash(password);
    expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=32,/);
    await test.storage.users.update(user.id, { passwordHash });
    expect((await client.logIn(user.email, password)).status).toBe(200);
    const stored = await test.storage.users.findById(user.id);
    expect(stored?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=64,/);
    expect(stored?.lastLoginAtMs).toBe(test.clock.currentMs);
    expect((await client.logIn(user.email, password)).status).toBe(200);
  });
});

describe('the captcha', () => {
  const asked: string[] = [];
  const captchas = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push(body);
    response.end(JSON.stringify({ success: body.includes('response=good') }));
  });
  afterAll(() => captchas.close());

  it('is verified where a secret is configured: only a confirmed token gets to the password', async () => {
    await new Promise<void>((resolve) => captchas.listen(0, '127.0.0.1', resolve));
    const { port } = captchas.address() as AddressInfo;
    const captcha = { secret: 'captcha secret', verifyUrl: `http://127.0.0.1:${port}/verify` };
    const guarded = await createTestApp(folder, { identity: { captcha } });
    const { email } = await createUser(
      { ...guarded.keyDependencies, hasher: guarded.people.hasher },
      { email: 'person@example.com', password },
    );
    const logIn = async (recaptchaToken?: string) =>
      (
        await modboxClient(guarded).call('POST', '/auth/login', {
          username: email,
          password,
          recaptchaToken,
        })
      ).status;
    expect(await logIn('good')).toBe(200);
    expect(await logIn('bad')).toBe(400);
    expect(await logIn()).toBe(400);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBe('secret=captcha+secret&response=good&remoteip=');
    for (let tries = 3; tries < 60; tries += 1) await logIn();
    expect(await logIn('good')).toBe(429);
    expect(asked).toHaveLength(2);
    await guarded.storage.close();
  });

  it('is refused when nobody can confirm it', async () => {
    const unused = createServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const verify = createCaptchaVerifier({ secret: 'x', verifyUrl: `http://127.0.0.1:${port}` });
    await expect(verify('good', '')).rejects.toMatchObject({ code: 'captcha_refused' });
  });
});

describe('POST /auth/setup', () => {
  it('makes the first user with the printed token, once, as the owner of the default workspace', async () => {
    const fresh = await createTestApp(folder);
    const setUp = (fields: Record<string, string>) =>
      modboxClient(fresh).call('POST', '/auth/setup', {
        token: fresh.people.setup.token,
        email: 'First@Example.com',
        password,
        ...fields,
      });
    expect(fresh.people.setup.token).toMatch(/^setup_[0-9a-f]{40}$/);
    expect((await setUp({ token: 'setup_wrong' })).status).toBe(403);
    expect((await setUp({ password: 'short' })).status).toBe(422);
    expect((await setUp({ email: 'no address' })).status).toBe(422);
    const made = await setUp({});
    expect([made.status, made.body.success]).toEqual([201, true]);
    const token = made.body.tokens.access_token;
    const me = await modboxClient(fresh).call('GET', '/auth/me', undefined, { token });
    expect(me.body).toMatchObject({
      email: 'first@example.com',
      workspace: { slug: 'default', role: 'owner' },
    });
    expect((await setUp({ email: 'second@example.com' })).status).toBe(403);
    await fresh.storage.close();
  });
});
