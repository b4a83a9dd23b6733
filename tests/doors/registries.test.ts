import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const password = 'a-password-that-is-nowhere';
let test: TestApp;
let manager: string;
let other: string;
/** A registry that wants a password by HTTP Basic, or none, by what `asks` says. */
let registry: Server;
let host: string;
let asks = true;
const texts: string[] = [];

beforeAll(async () => {
  test = await createTestApp(temporaryFolder());
  const scopes = ['workspace:manage', 'sandbox:read'] as const;
  manager = (await test.issue({ namespace: 'ours', scopes: [...scopes] })).text;
  other = (await test.issue({ namespace: 'theirs', scopes: [...scopes] })).text;
  registry = createServer((request, response) => {
    const expected = `Basic ${Buffer.from(`robot:${password}`).toString('base64')}`;
    const isIn = !asks || request.headers.authorization === expected;
    response.writeHead(isIn ? 200 : 401, { 'www-authenticate': 'Basic realm="test"' }).end('{}');
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
});
afterAll(async () => {
  registry.closeAllConnections();
  await new Promise((resolve) => registry.close(resolve));
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function api(method: Method, path: string, body?: object, key = manager) {
  const answer = await test.api(method, `/registries${path}`, key, body);
  texts.push(answer.text);
  return answer;
}

const add = (fields: object = {}) =>
  api('POST', '', { name: 'Ours', server: 'ghcr.io', username: 'robot', password, ...fields });

describe('registries', () => {
  it('are stored, listed page by page, shown, changed and forgotten', async () => {
    const made = await add({ email: 'robot@example.com' });
    expect([made.status, made.body]).toEqual([
      200,
      {
        id: expect.stringMatching(/^[0-9a-f]{24}$/),
        workspace_id: expect.any(String),
        name: 'Ours',
        server: 'ghcr.io',
        username: 'robot',
        password_outdated: false,
        email: 'robot@example.com',
        enabled: true,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    ]);
    // Ids of one moment are in no order.
    test.clock.currentMs += 1;
    const second = await add({ name: 'Second', server: 'https://index.docker.io/v1/' });
    expect(second.body.server).toBe('docker.io');
    const first = await api('GET', '?size=1');
    expect(first.body).toEqual({ registries: [made.body], next_cursor: made.body.id });
    const rest = await api('GET', `?size=1&cursor=${first.body.next_cursor}`);
    expect(rest.body).toEqual({ registries: [second.body], next_cursor: null });
    expect((await api('GET', `/${made.body.id}`)).body).toEqual(made.body);
    const changed = await api('PATCH', `/${made.body.id}`, { name: 'New', enabled: false });
    expect(changed.body).toMatchObject({ name: 'New', enabled: false, username: 'robot' });
    for (const { body } of [made, second]) {
      expect((await api('DELETE', `/${body.id}`)).status).toBe(204);
      expect((await api('GET', `/${body.id}`)).status).toBe(404);
    }
  });

  it('of another workspace are not there', async () => {
    const { id } = (await add()).body;
    expect((await api('GET', '', undefined, other)).body.registries).toEqual([]);
    for (const [method, path, body] of [
      ['GET', `/${id}`],
      ['PATCH', `/${id}`, { password: 'another' }],
      ['POST', `/${id}/test`],
      ['DELETE', `/${id}`],
    ] as const) {
      const answer = await api(method, path, body, other);
      expect([method, answer.status]).toEqual([method, 404]);
    }
  });

  it.each([
    ['server', { server: 'ghcr.io/owner' }],
    ['server', { server: 'not a host' }],
    ['username', { username: 'a:b' }],
    ['username', { username: 'a\nb' }],
    ['password', { password: '' }],
    ['name', { name: '' }],
  ])('refuse what they cannot use, and say that it is the %s: %o', async (field, fields) => {
    const answer = await add(fields);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(field)]);
  });

  it('send no stored password to another place', async () => {
    const { id } = (await add()).body;
    for (const server of ['evil.example', 'http://ghcr.io']) {
      const answer = await api('PATCH', `/${id}`, { server });
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('password')]);
    }
    const moved = await api('PATCH', `/${id}`, { server: 'evil.example', password: 'another' });
    expect(moved.body.server).toBe('evil.example');
  });

  it('are asked whether they let the user in', async () => {
    const { id, workspace_id: workspaceId } = (await add({ server: `http://${host}` })).body;
    const ask = async () => (await api('POST', `/${id}/test`)).body;
    expect(await ask()).toEqual({ result: 'accepted', problem: null });
    asks = false;
    expect(await ask()).toEqual({ result: 'not_asked', problem: null });
    asks = true;
    await api('PATCH', `/${id}`, { password: 'another' });
    expect(await ask()).toEqual({ result: 'refused', problem: expect.stringMatching(/refuses/) });
    await test.storage.registries.change(workspaceId, id, (stored) => ({
      ...stored,
      sealedPassword: { ...stored.sealedPassword, serverKeyVersion: 99 },
    }));
    expect(await ask()).toEqual({
      result: 'refused',
      problem: expect.stringMatching(/Set it again/),
    });
    expect((await api('GET', `/${id}`)).body.password_outdated).toBe(true);
    const away = (await add({ server: 'https://registry.test:1' })).body;
    expect((await api('POST', `/${away.id}/test`)).body.result).toBe('unreachable');
    for (const server of ['inside.example', 'http://ghcr.io', '10.0.0.1']) {
      const inside = (await add({ server })).body;
      expect((await api('POST', `/${inside.id}/test`)).body.result).toBe('not_allowed');
    }
  });

  // Last, when there is everything that they could be in.
  it('are in the audit, and their passwords in nothing that was answered or stored', async () => {
    const { entries } = await test.storage.audit.list({}, { limit: 100 });
    const actions = new Set(
      entries.map(({ action, target }) => `${action} ${String(target).split(':')[0]}`),
    );
    for (const action of ['create', 'update', 'delete']) {
      expect(actions).toContain(`registry.${action} registry`);
    }
    texts.push(JSON.stringify(entries));
    expect(texts.length).toBeGreaterThan(30);
    expect(texts.filter((text) => text.includes(password))).toEqual([]);
    const stored = ['', '-wal'].map((suffix) => readFileSync(`${test.file}${suffix}`));
    expect(stored.some((bytes) => bytes.includes('Second'))).toBe(true);
    expect(stored.some((bytes) => bytes.includes(password))).toBe(false);
  });
});
