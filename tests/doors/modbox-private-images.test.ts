import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { modboxClient } from '../support/modbox-client.ts';
import { MemoryRegistry } from '../support/registry/memory-registry.ts';
import { imageOf, layerOf, tarOf } from '../support/registry/test-image.ts';
import { createTestPuller } from '../support/registry/test-puller.ts';
import { samplePeople } from '../support/sample-people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const registry = new MemoryRegistry();
const basic = (password: string) => `Basic ${Buffer.from(`puller:${password}`).toString('base64')}`;
let server: string;
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let token: string;

beforeAll(async () => {
  server = `http://${await registry.listen()}`;
  const layer = layerOf(await tarOf([{ name: 'note', body: 'private' }]));
  registry.put('team/app', '1', imageOf({ layers: [layer] }));
  test = await createTestApp(temporaryFolder(), { policy: { maxSandboxes: 100 } });
  test.engine.images = createTestPuller(temporaryFolder()).images;
  await test.sandboxes.reconcile();
  client = modboxClient(test);
  const people = samplePeople(test);
  token = await people.newToken(await people.newUser());
});

afterAll(() => registry.close());

/** Lets in whoever knows the password. */
beforeEach(() => {
  registry.requests.length = 0;
  registry.intercept = (request, response) => {
    if (request.headers.authorization === basic('right')) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    return true;
  };
});

const callAs = (who: string) => (method: string, path: string, body?: unknown) =>
  client.call(method, path, body, { token: who });
const call = (method: string, path: string, body?: unknown) => callAs(token)(method, path, body);

/** A registry and an image of it, whichever workspace it is. */
async function setUp(ask: typeof call, password = 'right') {
  const given = { name: 'Ours', server, username: 'puller', password };
  const { id: registryId } = (await ask('POST', '/registries', given)).body;
  const image = { name: 'App', image: 'team/app', tag: '1', registry_id: registryId };
  const made = await ask('POST', '/sandbox-images', image);
  return { registryId, image: made.body };
}

let tasks = 0;
async function provision(ask: typeof call, image_id: string) {
  tasks += 1;
  const task_id = `private-${tasks}`;
  const made = await ask('POST', '/sandboxes/provision', { task_id, image_id });
  if (made.body.success !== true) return { task_id, made: made.body, waited: null };
  const waited = await ask('POST', '/sandboxes/wait', { task_id });
  return { task_id, made: made.body, waited: waited.body };
}

describe('an image of a registry', () => {
  it('is shown with its registry, which it stays linked to when that is gone', async () => {
    const { registryId, image } = await setUp(call);
    expect(image).toMatchObject({ registry_id: registryId, registry_name: 'Ours', tag: '1' });
    const path = `/sandbox-images/${image.id}`;
    expect((await call('GET', path)).body).toEqual(image);
    expect((await call('GET', '/sandbox-images')).body.images).toContainEqual(image);
    await call('DELETE', `/registries/${registryId}`);
    const orphan = { ...image, registry_name: null };
    expect((await call('GET', path)).body).toEqual(orphan);
    expect((await call('PUT', path, { name: 'Later' })).body.registry_id).toBe(registryId);
    const refused = await provision(call, image.id);
    expect(refused.made).toMatchObject({
      success: false,
      error: expect.stringMatching(/registry.*deleted/),
    });
    expect((await call('PUT', path, { registry_id: null })).body.registry_id).toBeNull();
  });

  it('is pulled as the user of its registry when a sandbox is provisioned', async () => {
    const { image } = await setUp(call);
    const { task_id, waited } = await provision(call, image.id);
    expect(waited).toMatchObject({ ready: true, error: null });
    const started = test.engine.started.at(-1);
    const reference = `${server.slice('http://'.length)}/team/app`;
    expect(started).toMatchObject({
      image: `${reference}:1`,
      pulledImage: expect.stringMatching(/team\/app@sha256:[0-9a-f]{64}$/),
    });
    const shown = (await call('GET', `/sandboxes/detail/${task_id}`)).body;
    expect([shown.image, shown.status]).toEqual([`${reference}:1`, 'running']);
    expect(registry.requests.some(({ authorization }) => authorization === basic('right'))).toBe(
      true,
    );
  });

  it("is pulled anew for each sandbox, and is nobody else's without the password", async () => {
    const { image } = await setUp(call);
    expect((await provision(call, image.id)).waited.ready).toBe(true);
    const other = callAs((await test.issue({ namespace: 'elsewhere' })).text);
    const theirs = await setUp(other, 'wrong');
    const before = test.engine.started.length;
    const refused = await provision(other, theirs.image.id);
    expect(refused.waited).toMatchObject({ ready: false, error: expect.stringMatching(/regist/) });
    expect(test.engine.started).toHaveLength(before);
    const shown = (await other('GET', `/sandboxes/detail/${refused.task_id}`)).body;
    expect(shown.error).toBe(refused.waited.error);
    expect(JSON.stringify([refused, shown])).not.toContain('wrong');
    // A registry of another workspace cannot be named.
    const foreign = { name: 'App', image: 'team/app', registry_id: image.registry_id };
    expect((await other('POST', '/sandbox-images', foreign)).status).toBe(422);
    registry.requests.length = 0;
    await call('PUT', `/registries/${image.registry_id}`, { password: 'stale' });
    expect((await provision(call, image.id)).waited.ready).toBe(false);
    expect(registry.requests.length).toBeGreaterThan(0);
  });

  it('stays what it was for a sandbox that starts again, for as long as it may be pulled', async () => {
    const { registryId, image } = await setUp(call);
    const { task_id } = await provision(call, image.id);
    const first = test.engine.started.at(-1)?.pulledImage;
    const { workspace_id, id } = image;
    const workspace = await test.storage.workspaces.findByUuid(workspace_id);
    if (workspace === null) throw new Error(`no workspace of ${id}`);
    const again = async () => {
      await test.sandboxes.stop(workspace, task_id);
      return await test.sandboxes.start(workspace, task_id, null);
    };
    const newer = layerOf(await tarOf([{ name: 'note', body: 'newer' }]));
    const older = imageOf({ layers: [layerOf(await tarOf([{ name: 'note', body: 'private' }]))] });
    registry.put('team/app', '1', imageOf({ layers: [newer] }));
    await again();
    expect(test.engine.started.at(-1)?.pulledImage).toBe(first);
    registry.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    await again();
    expect(test.engine.started.at(-1)?.pulledImage).toBe(first);
    await call('PUT', `/registries/${registryId}`, { enabled: false });
    await expect(again()).rejects.toThrow('The registry "Ours" is not enabled');
    registry.put('team/app', '1', older);
  });

  /** The registry answers nothing any more. Resolves when it is asked. */
  const fallSilent = (): Promise<void> =>
    new Promise((asked) => {
      registry.intercept = () => {
        asked();
        return true;
      };
    });

  it('is given up when the time of its sandbox is over', async () => {
    const { image } = await setUp(call);
    const reached = fallSilent();
    const task_id = 'out-of-time';
    const body = { task_id, image_id: image.id, ttl_seconds: 60 };
    await call('POST', '/sandboxes/provision', body);
    await reached;
    test.clock.currentMs += 60_000;
    test.timers.pass();
    const waited = await call('POST', '/sandboxes/wait', { task_id });
    expect(waited.body).toMatchObject({
      ready: false,
      error: 'The sandbox was ended before its image was here',
    });
  });

  it('is given up when its sandbox is destroyed', async () => {
    const { image } = await setUp(call);
    const reached = fallSilent();
    const task_id = 'given-up';
    await call('POST', '/sandboxes/provision', { task_id, image_id: image.id });
    await reached;
    const shown = (await call('GET', `/sandboxes/detail/${task_id}`)).body;
    expect(shown.status).toBe('provisioning');
    expect((await call('POST', '/sandboxes/destroy', { task_id })).body.success).toBe(true);
    const gone = (await call('GET', `/sandboxes/detail/${task_id}`)).body;
    expect(gone.status).toBe('destroyed');
  });

  it('may be named in full without a registry, and is pulled as nobody then', async () => {
    registry.intercept = () => false;
    const host = server.slice('http://'.length);
    const body = { name: 'Open', image: `${host}/team/app`, tag: '1' };
    const { id } = (await call('POST', '/sandbox-images', body)).body;
    // Without TLS only where a registry says so.
    const { waited } = await provision(call, id);
    expect(waited).toMatchObject({ ready: false, error: expect.stringMatching(/TLS/) });
    // By a request no registry is asked at all.
    const named = { task_id: 'by-name', image: `${host}/team/app:1` };
    const refused = await call('POST', '/sandboxes/provision', named);
    expect(refused.body).toMatchObject({
      success: false,
      error: expect.stringMatching(/template/),
    });
  });

  it('is refused where it is of another registry, or none of its server', async () => {
    const { registryId, image } = await setUp(call);
    const elsewhere = { name: 'App', image: 'evil.example/team/app', registry_id: registryId };
    const refused = await call('POST', '/sandbox-images', elsewhere);
    expect([refused.status, refused.text]).toEqual([422, expect.stringMatching(/evil\.example/)]);
    const path = `/sandbox-images/${image.id}`;
    expect((await call('PUT', path, { image: 'evil.example/app' })).status).toBe(422);
    await call('PUT', `/registries/${registryId}`, { server: 'moved.example', password: 'right' });
    const full = { name: 'App', image: `${server.slice(7)}/team/app`, registry_id: registryId };
    expect((await call('POST', '/sandbox-images', full)).status).toBe(422);
  });

  it('counts as a template for a key that is restricted to some', async () => {
    const { image } = await setUp(call);
    const workspace = await test.storage.workspaces.findByUuid(image.workspace_id);
    const restrictions = { templates: ['python'] };
    const { text } = await test.issue({ namespace: workspace?.slug ?? '', restrictions });
    const refused = await provision(callAs(text), image.id);
    expect(refused.made.success ?? false).toBe(false);
    expect(JSON.stringify(refused.made)).toContain('python');
  });
});
