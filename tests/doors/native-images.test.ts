import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryRegistry } from '../support/registry/memory-registry.ts';
import { imageOf, layerOf, tarOf } from '../support/registry/test-image.ts';
import { createTestPuller } from '../support/registry/test-puller.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const registry = new MemoryRegistry();
let server: string;
let test: TestApp;
/** May do everything in `team`. */
let key: string;

beforeAll(async () => {
  server = await registry.listen();
  const layer = layerOf(await tarOf([{ name: 'note', body: 'hello' }]));
  registry.put('team/app', '1', imageOf({ layers: [layer] }));
  test = await createTestApp(temporaryFolder(), { policy: { maxSandboxes: 100 } });
  test.engine.images = createTestPuller(temporaryFolder()).images;
  await test.sandboxes.reconcile();
  key = (await test.issue({ namespace: 'team' })).text;
  registry.intercept = (request, response) => {
    if (request.headers.authorization === `Basic ${btoa('robot:right')}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    return true;
  };
});
afterAll(() => registry.close());

const api = (method: Parameters<TestApp['api']>[0], path: string, body?: unknown) =>
  test.api(method, path, key, body);

let made = 0;
async function addApp(fields: object = {}) {
  made += 1;
  const where = { name: 'ours', server: `http://${server}`, username: 'robot', password: 'right' };
  const registered = await api('POST', '/registries', where);
  const image = { name: `app-${made}`, image: 'team/app', tag: '1', ...fields };
  const added = await api('POST', '/images', { registry_id: registered.body.id, ...image });
  expect([added.status, added.text]).toEqual([200, expect.stringContaining('team/app')]);
  return added.body;
}

const create = (fields: object) => api('POST', '/sandboxes', fields);
const startAs = (image: string, sandbox: string, config: object = {}, by = key) =>
  test.call('sandbox.start', { sandbox, namespace: 'team', config: { image, ...config } }, by);

describe('images of a workspace', () => {
  it('are added, listed, shown, changed and removed', async () => {
    const { id, name } = await addApp({ memory_mib: 300, max_lifetime_seconds: 60 });
    expect((await api('GET', '/images')).body.images.at(-1)).toMatchObject({
      ...{ id, name, image: 'team/app', tag: '1', registry_name: 'ours', enabled: true },
      ...{ memory_mib: 300, max_lifetime_seconds: 60, description: null },
    });
    const changed = await api('PATCH', `/images/${id}`, { description: 'x', memory_mib: null });
    expect(changed.body).toMatchObject({ description: 'x', memory_mib: null, tag: '1' });
    expect((await api('GET', `/images/${name}`)).body).toEqual(changed.body);
    expect((await api('DELETE', `/images/${name}`)).status).toBe(204);
    expect((await api('GET', `/images/${id}`)).status).toBe(404);
  });

  it('are of their workspace alone', async () => {
    const { id } = await addApp();
    const theirs = (await test.issue({ namespace: 'theirs' })).text;
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await test.api(method, `/images/${id}`, theirs)).status).toBe(404);
    }
    expect((await test.api('GET', '/images', theirs)).body.images).toEqual([]);
  });

  it.each([
    [{ image: 'ghcr.io/team/app' }, 'another registry'],
    [{ image: 'team/app', registry_id: 'f'.repeat(24) }, 'no such registry'],
    [{ image: '' }, 'image'],
    [{ surprise: 1 }, 'surprise'],
  ])('say what is wrong with %j', async (fields, words) => {
    const { registry_id } = await addApp();
    const refused = await api('POST', '/images', { name: 'x', image: 'a', registry_id, ...fields });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining(words)]);
  });

  it('are what a sandbox is made of, by their names, at this door and the other', async () => {
    const { name } = await addApp({ memory_mib: 300, max_lifetime_seconds: 60 });
    const sandbox = await create({ template: name });
    expect([sandbox.status, sandbox.text]).toEqual([200, expect.anything()]);
    expect(sandbox.body).toMatchObject({ template: name, resources: { memory_mib: 300 } });
    expect(sandbox.body.lifetime).toMatchObject({ max_lifetime_seconds: 60 });
    expect((await startAs(name, 'box')).body.error).toBeUndefined();
    // The same again is the same sandbox, on the image that it began with.
    expect((await startAs(name, 'box')).body.error).toBeUndefined();
    const stored = await test.storage.sandboxes.list();
    const box = stored.find((each) => each.name === 'box');
    expect(box?.template).toBe(name);
    expect(box?.definition).toMatchObject({
      registryImage: { pinned: expect.stringContaining('@sha256:') },
    });
  });

  it('are found by nobody who is restricted to other templates', async () => {
    const { name } = await addApp();
    const other = await test.issue({ namespace: 'team', restrictions: { templates: ['python'] } });
    const refused = await test.api('POST', '/sandboxes', other.text, { template: name });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('python')]);
    expect((await startAs(name, 'not-mine', {}, other.text)).text).toContain('python');
    const same = await test.issue({ namespace: 'team', restrictions: { templates: [name] } });
    expect((await startAs(name, 'mine', {}, same.text)).body.error).toBeUndefined();
    expect((await test.api('POST', '/sandboxes', same.text, { template: name })).status).toBe(200);
  });

  it('have no directory of the host, and are not there when they are off', async () => {
    const { name, id } = await addApp();
    const mounted = await startAs(name, 'mounted', { volumes: ['/srv/data:/data'] });
    expect(mounted.text).toContain("the server's own templates alone");
    await api('PATCH', `/images/${id}`, { enabled: false });
    expect((await create({ template: name })).text).toContain('There is no template');
  });

  it('never hide a template of the server', async () => {
    await addApp({ name: 'python' });
    const { body } = await create({ template: 'python' });
    const stored = await test.storage.sandboxes.findById(body.id);
    expect(stored?.definition.registryImage).toBeUndefined();
  });
});

describe('a pull', () => {
  it('answers when the image is here', async () => {
    const { name } = await addApp();
    const pulled = await api('POST', `/images/${name}/pull`);
    expect([pulled.status, pulled.body]).toEqual([
      200,
      { digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), size_bytes: expect.any(Number) },
    ]);
    const { entries } = await test.storage.audit.list({}, { limit: 5 });
    expect(entries.map(({ action }) => action)).toContain('image.pull');
  });

  it('tells how far it is, where that is asked for, and what failed', async () => {
    const { name } = await addApp();
    const accept = { accept: 'text/event-stream' };
    const eventsOf = async (path: string) =>
      [...(await test.api('POST', path, key, undefined, accept)).text.matchAll(/^event: (.*)$/gm)]
        .map(([, event]) => event)
        .filter((event, index, all) => event !== all[index - 1]);
    expect(await eventsOf(`/images/${name}/pull`)).toEqual(['progress', 'ready']);
    const gone = await addApp({ tag: 'none' });
    expect(await eventsOf(`/images/${gone.name}/pull`)).toEqual(['progress', 'error']);
    const refused = await api('POST', `/images/${gone.name}/pull`);
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('none')]);
  });

  it('is of Docker Hub where the name says no registry', async () => {
    const made = await api('POST', '/images', { name: 'hub', image: 'debian', tag: '12' });
    expect(made.body.image).toBe('docker.io/library/debian');
    const changed = await api('PATCH', '/images/hub', { image: 'bitnami/redis' });
    expect(changed.body.image).toBe('docker.io/bitnami/redis');
    // From here nothing is reached.
    // The test's names lead nowhere else.
    const pulled = await api('POST', '/images/hub/pull');
    expect(pulled.headers.get('x-error-code')).toBe('registry_not_allowed');
  });
});
