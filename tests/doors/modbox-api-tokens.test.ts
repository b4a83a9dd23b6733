import { createUser, type User } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { modboxClient } from '../support/modbox-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
const password = 'correct horse battery';
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let user: User;
let token: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  client = modboxClient(test);
  user = await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: 'you@example.com', password },
  );
  token = (await client.tokens(user.email, password)).access_token;
});

const make = async (body: object = {}) =>
  (await client.call('POST', '/api-tokens/', body, { token })).body;
const works = async (text: string) =>
  (await client.call('GET', '/workspaces', undefined, { token: text })).status;

describe('an API token', () => {
  it('is made with the slash and without, and shown once', async () => {
    for (const path of ['/api-tokens/', '/api-tokens', '/modbox/api-tokens/']) {
      const body = { description: 'production-backend' };
      const made = await client.call('POST', path, body, { token });
      expect([made.status, made.body]).toEqual([
        201,
        {
          id: expect.stringMatching(/^[0-9a-f]{24}$/),
          description: 'production-backend',
          prefix: 'mbx_',
          last_four: made.body.token.slice(-4),
          created_at: expect.any(String),
          last_used_at: null,
          expires_at: null,
          is_active: true,
          token: expect.stringMatching(/^mbx_[0-9a-f]{48}$/),
        },
      ]);
      const list = await client.call('GET', path, undefined, { token });
      expect(list.body.tokens.at(-1)).toMatchObject({ id: made.body.id });
      expect(list.text).not.toContain(made.body.token);
    }
  });

  it('acts as its person, in every workspace of theirs', async () => {
    const { token: text } = await make();
    const other = await client.call('POST', '/workspaces', { name: 'Other' }, { token });
    const workspaces = (await client.call('GET', '/workspaces', undefined, { token: text })).body
      .workspaces;
    expect(workspaces).toHaveLength(2);
    const where = { token: text, workspace: other.body.id };
    const path = `/workspaces/${other.body.id}`;
    expect((await client.call('GET', path, undefined, where)).body.role).toBe('owner');
    const me = await test.api('GET', '/me', text, undefined, { 'x-workspace-id': other.body.id });
    expect(me.body).toMatchObject({
      user: { email: user.email },
      role: 'owner',
      workspace: { uuid: other.body.id },
    });
    const started = { sandbox: 'box', namespace: other.body.realm };
    expect((await test.call('sandbox.start', started, text)).status).toBe(200);
    expect(
      (await test.call('sandbox.start', { sandbox: 'box', namespace: 'default' }, text)).status,
    ).toBe(403);
  });

  it('is revoked by its text or by its id, and is refused with the next call', async () => {
    const byText = await make();
    const byId = await make();
    for (const [made, reference] of [
      [byText, byText.token],
      [byId, byId.id],
    ]) {
      expect(await works(made.token)).toBe(200);
      const path = `/api-tokens/${reference}`;
      expect((await client.call('DELETE', path, undefined, { token })).body).toEqual({
        success: true,
      });
      expect(await works(made.token)).toBe(401);
      expect((await client.call('DELETE', path, undefined, { token })).status).toBe(404);
    }
  });

  it('leaves its text in no usage row and no audit entry, also when it is in a path', async () => {
    const { token: text } = await make();
    await client.call('DELETE', `/api-tokens/${text}`, undefined, { token });
    await client.call('DELETE', `/api-tokens/${text}/`, undefined, { token });
    const { rows } = await test.storage.usage.list({}, { limit: 100 });
    const { entries } = await test.storage.audit.list({}, { limit: 100 });
    expect(rows.some(({ endpoint }) => endpoint === '/api-tokens/{token}')).toBe(true);
    expect(JSON.stringify([rows, entries])).not.toContain(text.slice(4, 40));
  });

  it("is nobody else's to see or revoke", async () => {
    const other = await createUser(
      { ...test.keyDependencies, hasher: test.people.hasher },
      { email: 'other@example.com', password },
    );
    const theirs = (await client.tokens(other.email, password)).access_token;
    const mine = await make();
    for (const reference of [mine.id, mine.token]) {
      const path = `/api-tokens/${reference}`;
      expect((await client.call('DELETE', path, undefined, { token: theirs })).status).toBe(404);
    }
    const list = await client.call('GET', '/api-tokens', undefined, { token: theirs });
    expect(list.body.tokens).toEqual([]);
    expect(await works(mine.token)).toBe(200);
  });

  it('makes and revokes no tokens itself', async () => {
    const { token: text, id } = await make();
    for (const [method, path] of [
      ['POST', '/api-tokens'],
      ['GET', '/api-tokens'],
      ['DELETE', `/api-tokens/${id}`],
    ] as const) {
      const body = method === 'POST' ? {} : undefined;
      expect((await client.call(method, path, body, { token: text })).status).toBe(403);
    }
  });

  it('expires when it is told to, and is dead while its person is disabled', async () => {
    const short = await make({ expires_in_seconds: 60 });
    test.clock.currentMs += 59_999;
    expect(await works(short.token)).toBe(200);
    test.clock.currentMs += 1;
    expect(await works(short.token)).toBe(401);
    const { token: text } = await make();
    await test.storage.users.update(user.id, { enabled: false });
    expect((await test.api('GET', '/me', text)).status).toBe(403);
    await test.storage.users.update(user.id, { enabled: true });
    expect(await works(text)).toBe(200);
  });
});
