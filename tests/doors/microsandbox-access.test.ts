import { revokeKey, rotateKey, setKeyEnabled } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let operator: string;
let alpha: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  operator = (await test.issue()).text;
  alpha = (await test.issue({ namespace: 'team-alpha' })).text;
  await test.issue({ namespace: 'team-beta' });
  for (const [namespace, sandbox] of [
    ['team-alpha', 'mine'],
    ['team-beta', 'theirs'],
  ]) {
    const answer = await test.call('sandbox.start', { sandbox, namespace }, operator);
    expect(answer.status).toBe(200);
  }
});

const methods: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['sandbox.start', { sandbox: 'theirs' }],
  ['sandbox.stop', { sandbox: 'theirs' }],
  ['sandbox.metrics.get', { sandbox: 'theirs' }],
  ['sandbox.metrics.get', {}],
  ['sandbox.repl.run', { sandbox: 'theirs', language: 'python', code: '1' }],
  ['sandbox.command.run', { sandbox: 'theirs', command: 'true' }],
];

describe('a key of team-alpha', () => {
  it.each(methods)('is refused by %s %j in another namespace', async (method, params) => {
    for (const namespace of ['team-beta', 'no-such-team', 'default']) {
      expect(await test.call(method, { ...params, namespace }, alpha)).toMatchObject({
        status: 403,
        body: { error: 'Access denied', code: 3001 },
      });
    }
  });

  it.each(methods)('is refused by %s %j in all namespaces', async (method, params) => {
    const { status, body } = await test.call(method, { ...params, namespace: '*' }, alpha);
    expect([
      [403, 3001],
      [400, 2001],
    ]).toContainEqual([status, body.code]);
  });

  it.each(methods)('cannot smuggle a namespace into %s %j', async (method, params) => {
    const smuggled: readonly unknown[] = [
      { ...params, namespace: 'team-alpha', arguments: { namespace: 'team-beta' } },
      { ...params, namespace: 'team-alpha', workspace: 'team-beta' },
      { ...params, namespace: 'team-alpha', namespaces: ['team-beta'] },
      { ...params, namespace: ['team-alpha', 'team-beta'] },
      { ...params, namespace: 'team-alpha/../team-beta' },
      { ...params, sandbox: '../team-beta/theirs', namespace: 'team-alpha' },
      { ...params, sandbox: 'team-beta/theirs', namespace: 'team-alpha' },
      { ...params, namespace: 'team-alpha', config: { namespace: 'team-beta' } },
    ];
    for (const each of smuggled) {
      expect(await test.call(method, each, alpha)).toMatchObject({ status: 400 });
    }
    const twice = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${JSON.stringify({ ...params, sandbox: 'twice', namespace: 'team-alpha' }).replace('{', '{"namespace":"team-beta",')}}`;
    const { body } = await test.post(twice, alpha);
    expect(JSON.stringify(body)).not.toContain('team-beta');
  });

  it('never reaches a sandbox of another namespace, even by its name', async () => {
    const before = test.engine.executed.length;
    const params = { sandbox: 'theirs', command: 'true' };
    expect((await test.call('sandbox.command.run', params, alpha)).body.error).toMatchObject({
      code: -32001,
      message: "Sandbox 'theirs' not found in namespace 'team-alpha'",
    });
    expect(test.engine.executed.length).toBe(before);
  });

  it('uses its own namespace when it names none', async () => {
    const { body } = await test.call('sandbox.metrics.get', {}, alpha);
    expect(body.result.sandboxes).toMatchObject([
      { namespace: 'team-alpha', name: 'mine' },
      { namespace: 'team-alpha', name: 'twice' },
    ]);
  });

  it('reaches nothing in a batch that it could not reach alone', async () => {
    const { status, body } = await test.post(
      methods.map(([method, params], id) => ({
        jsonrpc: '2.0',
        id,
        method,
        params: { ...params, namespace: 'team-beta' },
      })),
      alpha,
    );
    expect(status).toBe(200);
    for (const { error } of body) expect(error).toMatchObject({ code: -32011 });
  });
});

describe('an operator key', () => {
  it('sees all namespaces at once', async () => {
    const { body } = await test.call('sandbox.metrics.get', { namespace: '*' }, operator);
    const names = body.result.sandboxes.map(({ name }: { name: string }) => name).sort();
    expect(names).toEqual(['mine', 'theirs', 'twice']);
    expect(body.result.sandboxes).toContainEqual({
      namespace: 'team-beta',
      name: 'theirs',
      running: true,
      cpu_usage: 1.5,
      memory_usage: 3,
      disk_usage: 42,
    });
  });

  it('makes a namespace by starting a sandbox in it, and by nothing else', async () => {
    const params = { sandbox: 'a', namespace: 'brand-new' };
    expect((await test.call('sandbox.stop', params, operator)).body.error.message).toBe(
      "Namespace 'brand-new' not found",
    );
    expect((await test.call('sandbox.start', params, operator)).status).toBe(200);
    expect((await test.call('sandbox.stop', params, operator)).body.result).toBe(
      'Sandbox a stopped successfully',
    );
  });

  it('works in the namespace "default" when it names none', async () => {
    await test.call('sandbox.start', { sandbox: 'x' }, operator);
    const { body } = await test.call('sandbox.metrics.get', { namespace: 'default' }, operator);
    expect(body.result.sandboxes).toMatchObject([{ name: 'x' }]);
  });
});

describe('a credential', () => {
  const refused = { error: 'Invalid or expired token', code: 1004 };
  const ask = (key: string | null, headers: Record<string, string> = {}) =>
    test.post({ jsonrpc: '2.0', id: 1, method: 'sandbox.metrics.get' }, key, headers);

  it('must be there', async () => {
    const answer = await ask(null);
    expect(answer).toMatchObject({
      status: 401,
      body: { error: 'Invalid credentials', code: 1001 },
    });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('works bare, as Bearer, and in Proxy-Authorization', async () => {
    for (const headers of [
      { authorization: operator },
      { authorization: `bearer ${operator}` },
      { 'proxy-authorization': `Bearer ${operator}` },
    ]) {
      expect((await ask(null, headers)).status).toBe(200);
    }
  });

  it('is refused in the same way when malformed, unknown, expired, revoked or rotated', async () => {
    const expiring = await test.issue({ expiresInMs: 1_000 });
    const revoked = await test.issue();
    const rotated = await test.issue();
    expect((await ask(expiring.text)).status).toBe(200);
    test.clock.currentMs += 1_000;
    await revokeKey(test.keyDependencies, revoked.key.id);
    await rotateKey(test.keyDependencies, rotated.key.id);
    const stranger = await createTestApp(folder);
    const answers = await Promise.all(
      [
        'nonsense',
        `${operator}0`,
        (await stranger.issue()).text,
        expiring.text,
        revoked.text,
        rotated.text,
      ].map((text) => ask(text)),
    );
    for (const answer of answers) {
      expect([answer.status, answer.body]).toEqual([401, refused]);
      const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id');
      const first = [...(answers[0]?.headers ?? [])].filter(([name]) => name !== 'x-request-id');
      expect(headers).toEqual(first);
    }
  });

  it('is valid up to the last millisecond before its expiry', async () => {
    const { text } = await test.issue({ expiresInMs: 5_000 });
    test.clock.currentMs += 4_999;
    expect((await ask(text)).status).toBe(200);
    test.clock.currentMs += 1;
    expect((await ask(text)).status).toBe(401);
  });

  it('stays valid after a rotation for exactly the overlap, and the new one from the start', async () => {
    const { key, text: old } = await test.issue();
    const { text: fresh } = await rotateKey(test.keyDependencies, key.id, { overlapMs: 1_000 });
    test.clock.currentMs += 999;
    expect([(await ask(old)).status, (await ask(fresh)).status]).toEqual([200, 200]);
    test.clock.currentMs += 1;
    expect([(await ask(old)).status, (await ask(fresh)).status]).toEqual([401, 200]);
  });

  it('of a disabled key is refused by name, and works again when enabled', async () => {
    const { key, text } = await test.issue();
    await setKeyEnabled(test.keyDependencies, key.id, false);
    expect(await ask(text)).toMatchObject({
      status: 403,
      body: { error: 'API key is inactive', code: 1003 },
    });
    await setKeyEnabled(test.keyDependencies, key.id, true);
    expect((await ask(text)).status).toBe(200);
  });

  it('that lacks a scope is refused with the scope', async () => {
    const { text } = await test.issue({ scopes: ['sandbox:read'] });
    expect((await ask(text)).status).toBe(200);
    expect(await test.call('sandbox.start', { sandbox: 'x' }, text)).toMatchObject({
      status: 403,
      body: { error: 'This API key lacks the scope sandbox:write', code: 3003 },
    });
  });

  it('is refused beside a different one, whichever of them is good', async () => {
    for (const headers of [
      { authorization: operator, 'x-api-key': alpha },
      { authorization: 'bad', 'proxy-authorization': operator },
    ]) {
      expect(await ask(null, headers)).toMatchObject({ status: 400, body: { code: 1002 } });
    }
  });

  it('is counted once for each accepted call, and not for a refused one', async () => {
    const { key, text } = await test.issue({ namespace: 'team-alpha' });
    await Promise.all([ask(text), ask(text), ask(text)]);
    await test.call('sandbox.metrics.get', { namespace: 'team-beta' }, text);
    expect(await test.storage.keys.findById(key.id)).toMatchObject({
      usageCount: 3,
      lastUsedAtMs: test.clock.currentMs,
    });
  });

  it('revoked while the body is on its way is refused', async () => {
    const { key, text } = await test.issue();
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const init = {
      method: 'POST',
      headers: { authorization: text, 'content-type': 'application/json' },
      body: readable,
      duplex: 'half',
    };
    const answer = test.app.request('/api/v1/rpc', init as RequestInit);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sandbox.metrics.get' });
    await writer.write(new TextEncoder().encode(body.slice(0, 10)));
    await revokeKey(test.keyDependencies, key.id);
    await writer.write(new TextEncoder().encode(body.slice(10)));
    await writer.close();
    expect((await answer).status).toBe(401);
  });
});

describe('a namespace that is not there yet', () => {
  const start = (text: string) =>
    test.call('sandbox.start', { sandbox: 'a', namespace: 'not-made-yet' }, text);
  const made = () => test.storage.workspaces.findBySlug('not-made-yet');

  it('is not made by a call that is refused for its scope or its limits', async () => {
    const reader = await test.issue({ scopes: ['sandbox:read'] });
    expect(await start(reader.text)).toMatchObject({ status: 403, body: { code: 3003 } });
    expect(await made()).toBeNull();
    const { text } = await test.issue();
    test.limits.current = { ...test.limits.current, minute: 1 };
    await test.call('sandbox.metrics.get', {}, text);
    expect((await start(text)).status).toBe(429);
    expect(await made()).toBeNull();
    test.clock.currentMs += 60_000;
    expect((await start(text)).body.result).toContain('started');
    expect(await made()).not.toBeNull();
  });
});
