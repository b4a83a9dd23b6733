import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { resourceIdOf } from '../../packages/server/src/http/dialects/modbox/sandboxes/resource-uuid.ts';
import { modboxClient } from '../support/modbox-client.ts';
import { samplePeople } from '../support/sample-people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let token: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  client = modboxClient(test);
  const people = samplePeople(test);
  token = await people.newToken(await people.newUser());
});

const secret = 'canary-in-the-registry';
const call = (method: string, path: string, body?: unknown) =>
  client.call(method, path, body, { token });
const create = async (fields: object = {}) =>
  await call('POST', '/registries', {
    ...{ name: 'Ours', server: 'registry.example:5000', username: 'puller', password: secret },
    ...fields,
  });

/** Every page of the database and its log, the audit among them. */
const storedBytes = (): string =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join();

/** What is stored of it, and what a pull would send. */
async function stored(uuid: string) {
  const workspaces = await test.storage.workspaces.list();
  const lists = workspaces.map((each) => test.storage.registries.list(each.id));
  const found = (await Promise.all(lists)).flat().find(({ id }) => id === resourceIdOf(uuid));
  if (found === undefined) throw new Error('the registry is not stored');
  const about = `password of registry ${found.id} of workspace ${found.workspaceId}`;
  return { ...found, password: test.people.sealer.open(found.sealedPassword, about) };
}

describe('a registry', () => {
  it('is made, listed, changed and removed, and its password is nowhere', async () => {
    const made = await create({ email: 'puller@example.com' });
    const { id } = made.body;
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8/),
        name: 'Ours',
        server: 'registry.example:5000',
        username: 'puller',
        email: 'puller@example.com',
        enabled: true,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    ]);
    const list = await call('GET', '/registries');
    expect(list.body).toEqual({ registries: [made.body] });
    expect((await stored(id)).password).toBe(secret);
    const path = `/registries/${id}`;
    const renamed = await call('PUT', path, { name: 'Theirs', email: null, enabled: false });
    const changed = { ...made.body, name: 'Theirs', email: null, enabled: false };
    expect(renamed.body).toEqual(changed);
    expect((await stored(id)).password).toBe(secret);
    const next = await call('PUT', path, { password: `${secret}-2`, username: 'another' });
    expect(next.body).toEqual({ ...changed, username: 'another' });
    expect(await stored(id)).toMatchObject({ username: 'another', password: `${secret}-2` });
    expect(storedBytes()).toContain('registry.update');
    expect(storedBytes()).not.toContain('canary');
    expect([made, list, renamed, next].map(({ text }) => text).join()).not.toContain('canary');
    expect((await call('DELETE', path)).body).toEqual({ success: true });
    expect((await call('GET', '/registries')).body).toEqual({ registries: [] });
    const { entries } = await test.storage.audit.list({}, { limit: 20 });
    const recorded = entries.filter(({ action }) => action.startsWith('registry.'));
    expect(recorded.map(({ action, outcome }) => `${action} ${outcome}`).toReversed()).toEqual([
      'registry.create done',
      'registry.update done',
      'registry.update done',
      'registry.delete done',
    ]);
    expect(JSON.stringify(recorded)).not.toContain('canary');
    expect((await call('DELETE', path)).status).toBe(404);
    expect((await call('PUT', path, { name: 'gone' })).status).toBe(404);
  });

  it('has a server however people write it, and keeps its password for that one', async () => {
    for (const [written, shown] of [
      ['https://Registry.Example/', 'registry.example'],
      ['https://index.docker.io/v1/', 'docker.io'],
      ['registry.example/v2', 'registry.example'],
      ['http://127.0.0.1:5000', 'http://127.0.0.1:5000'],
      ['[::1]:5000', '[::1]:5000'],
    ]) {
      expect((await create({ server: written })).body.server).toBe(shown);
    }
    const { id } = (await create()).body;
    const path = `/registries/${id}`;
    for (const server of ['evil.example', 'http://registry.example:5000']) {
      const refused = await call('PUT', path, { server });
      expect([refused.status, refused.text]).toEqual([422, expect.stringMatching(/password/)]);
    }
    expect((await stored(id)).server).toBe('registry.example:5000');
    const same = await call('PUT', path, { server: 'https://registry.example:5000/' });
    expect(same.status).toBe(200);
    const moved = await call('PUT', path, { server: 'other.example', password: 'another' });
    expect(moved.body.server).toBe('other.example');
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ server: undefined }, 'server'],
    [{ password: '' }, 'password'],
    [{ password: 'x'.repeat(513) }, 'password'],
    [{ username: null }, 'username'],
    [{ enabled: 'yes' }, 'enabled'],
  ])('with %j is 422', async (body, field) => {
    const refused = await create(body);
    expect([refused.status, refused.body.detail[0].loc]).toEqual([422, ['body', field]]);
  });

  it.each([
    { server: 'registry.example/team' },
    { server: 'user:password@registry.example' },
    { server: 'ftp://registry.example' },
    { server: `msb_${'0'.repeat(48)}` },
    { username: 'one:two' },
  ])('with %j is 422 with a reason', async (body) => {
    const refused = await create(body);
    expect([refused.status, refused.text]).toEqual([
      422,
      expect.stringContaining(Object.keys(body)[0] ?? ''),
    ]);
    expect(refused.text).not.toContain(secret);
  });

  it('belongs to its workspace alone, and opens in no other', async () => {
    const { id } = (await create()).body;
    const { text } = await test.issue({ namespace: 'elsewhere' });
    const asOther = { token: text };
    expect((await client.call('GET', '/registries', undefined, asOther)).body).toEqual({
      registries: [],
    });
    const path = `/registries/${id}`;
    const body = { server: 'evil.example', password: 'mine' };
    expect((await client.call('PUT', path, body, asOther)).status).toBe(404);
    expect((await client.call('DELETE', path, undefined, asOther)).status).toBe(404);
    const { sealedPassword, ...facts } = await stored(id);
    const about = `password of registry ${facts.id} of workspace ${'0'.repeat(24)}`;
    expect(test.people.sealer.open(sealedPassword, about)).toBeNull();
  });
});
