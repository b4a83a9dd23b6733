import { createUser } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { modboxClient } from '../support/modbox-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let token: string;

beforeAll(async () => {
  test = await createTestApp(folder, { policy: { maxSandboxes: 100 } });
  // As a server does before it answers.
  await test.sandboxes.reconcile();
  client = modboxClient(test);
  const password = 'correct horse battery';
  const user = await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: 'you@example.com', password },
  );
  token = (await client.tokens(user.email, password)).access_token;
});

const call = (method: string, path: string, body?: unknown) =>
  client.call(method, path, body, { token });
const create = async (fields: object = {}) =>
  await call('POST', '/sandbox-images', { name: 'Agents', image: 'node', ...fields });

/** The engine's view of a sandbox that is made so. */
async function provision(task_id: string, fields: object) {
  const made = await call('POST', '/sandboxes/provision', { task_id, ...fields });
  expect(made.body).toMatchObject({ success: true });
  await call('POST', '/sandboxes/wait', { task_id });
  const { resources, image } = test.engine.started.at(-1) ?? {};
  return { expires_at: made.body.expires_at, image, memory: resources?.memoryMib };
}

describe('an image', () => {
  it('is made, listed beside the templates, read, changed and removed', async () => {
    const made = await create({ description: 'for agents', memory_mb: 2_048, ttl_seconds: 60 });
    const { id } = made.body;
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8/),
        workspace_id: expect.any(String),
        name: 'Agents',
        image: 'node',
        tag: 'latest',
        description: 'for agents',
        enabled: true,
        is_default: false,
        memory_mb: 2_048,
        readiness_port: null,
        registry_id: null,
        registry_name: null,
        ttl_seconds: 60,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    ]);
    const path = `/sandbox-images/${id}`;
    expect((await call('GET', path)).body).toEqual(made.body);
    const { images } = (await call('GET', '/sandbox-images')).body;
    expect(images.map(({ name }: { name: string }) => name)).toEqual(['Agents', 'python', 'node']);
    const changed = await call('PUT', path, { enabled: false, ttl_seconds: null });
    expect(changed.body).toEqual({ ...made.body, enabled: false, ttl_seconds: null });
    const enabled = (await call('GET', '/sandbox-images?enabled_only=true')).body.images;
    expect(enabled).not.toContainEqual(expect.objectContaining({ id }));
    const refused = await call('POST', '/sandboxes/provision', { task_id: 'off', image_id: id });
    expect(refused.body).toMatchObject({ success: false, error: expect.stringMatching(/enabled/) });
    expect((await call('DELETE', path)).body).toEqual({ success: true });
    expect((await call('GET', path)).status).toBe(404);
    const { entries } = await test.storage.audit.list({}, { limit: 20 });
    const actions = entries.map(({ action, target }) => `${action} ${target}`);
    for (const action of ['create', 'update', 'delete']) {
      expect(actions).toContainEqual(expect.stringMatching(`^image.${action} image:[0-9a-f]{24}$`));
    }
  });

  it('gives its sandboxes what it says, unless the request says otherwise', async () => {
    const { id } = (await create({ memory_mb: 512, ttl_seconds: 120 })).body;
    const inSeconds = (seconds: number) =>
      new Date(test.clock.currentMs + seconds * 1_000).toISOString();
    expect(await provision('a', { image_id: id })).toEqual({
      image: 'microsandbox/node',
      memory: 512,
      expires_at: inSeconds(120),
    });
    expect(await provision('b', { image_id: id, ttl_seconds: 60 })).toMatchObject({
      expires_at: inSeconds(60),
    });
    const { images } = (await call('GET', '/sandbox-images')).body;
    const template = images.find(({ name }: { name: string }) => name === 'node');
    expect(template).toMatchObject({ workspace_id: null, is_default: false });
    expect(await provision('c', { image_id: template.id })).toEqual({
      image: 'microsandbox/node',
      memory: 1_024,
      expires_at: null,
    });
    expect(await provision('d', { image: 'node:latest' })).toMatchObject({
      image: 'microsandbox/node',
    });
    expect(await provision('e', { image: 'modbox/code-exec' })).toMatchObject({
      image: 'microsandbox/python',
    });
  });

  it('is the default of its workspace where it is made one, and one of them is', async () => {
    expect(await provision('f', {})).toMatchObject({ image: 'microsandbox/python' });
    const first = (await create({ is_default: true })).body;
    const second = (await create({ is_default: true, memory_mb: 300 })).body;
    expect(await provision('g', {})).toMatchObject({ image: 'microsandbox/node', memory: 300 });
    const { images } = (await call('GET', '/sandbox-images')).body;
    const defaults = images.filter(({ is_default }: { is_default: boolean }) => is_default);
    expect(defaults).toMatchObject([{ id: second.id }]);
    await call('PUT', `/sandbox-images/${first.id}`, { is_default: true });
    await call('DELETE', `/sandbox-images/${first.id}`);
    expect(await provision('h', {})).toMatchObject({ image: 'microsandbox/python' });
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ memory_mb: 255 }, 'memory_mb'],
    [{ memory_mb: 8_193 }, 'memory_mb'],
    [{ ttl_seconds: 59 }, 'ttl_seconds'],
    [{ registry_id: 'none' }, 'registry_id'],
    [{ readiness_port: 80 }, 'readiness_port'],
  ])('with %j is 422', async (body, field) => {
    const refused = await create(body);
    expect([refused.status, refused.body.detail[0].loc]).toEqual([422, ['body', field]]);
  });

  it('belongs to its workspace alone, and a template to the server', async () => {
    const { id } = (await create()).body;
    const { text } = await test.issue({ namespace: 'elsewhere' });
    const asOther = { token: text };
    for (const method of ['GET', 'DELETE']) {
      const answer = await client.call(method, `/sandbox-images/${id}`, undefined, asOther);
      expect(answer.status).toBe(404);
    }
    const body = { task_id: 'theirs', image_id: id };
    const made = await client.call('POST', '/sandboxes/provision', body, asOther);
    expect(made.body.success).toBe(false);
    const { images } = (await call('GET', '/sandbox-images')).body;
    const template = images.find(({ name }: { name: string }) => name === 'python');
    const path = `/sandbox-images/${template.id}`;
    expect((await call('GET', path)).body).toEqual(template);
    expect((await call('DELETE', path)).status).toBe(403);
    expect((await call('PUT', path, { name: 'mine' })).status).toBe(403);
    expect((await call('PUT', '/sandbox-images/none', { name: 'mine' })).status).toBe(404);
  });
});
