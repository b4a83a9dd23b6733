import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callApi } from '../support/call-api.ts';
import { smallRoot } from '../support/docker/build-image.ts';
import {
  type DockerRegistry,
  startDockerRegistry,
  testUser,
} from '../support/registry/docker-registry.ts';
import { imageOf, layerOf } from '../support/registry/test-image.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const home = join(folder, 'home');
let registry: DockerRegistry;
/** The one that runs now. */
let server: ServerProcess | undefined;

beforeAll(async () => {
  registry = await startDockerRegistry(folder, 'htpasswd');
  const layers = [layerOf(smallRoot('cat', 'ls'), 'none')];
  await registry.push(
    'team/app',
    '1',
    imageOf({ layers, config: { Env: ['PATH=/bin', 'IN=image'] } }),
  );
  await registry.push('team/private', '1', imageOf({ layers, config: { Env: ['PATH=/bin'] } }));
  chmodSync(folder, 0o755);
  mkdirSync(home, { mode: 0o700 });
  const config = {
    images: {
      directory: join(folder, 'images'),
      allowedPrivateHosts: ['127.0.0.1'],
      templates: {
        app: { reference: `${registry.host}/team/app:1`, ...testUser, allowHttp: true },
        none: { reference: `${registry.host}/team/none`, ...testUser, allowHttp: true },
      },
    },
  };
  writeFileSync(join(home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
});

afterAll(async () => {
  await server?.kill();
  await registry?.stop();
});

async function startServer(): Promise<ServerProcess> {
  server = await startServerProcess({ home });
  return server;
}

async function modbox({ address, firstKey }: ServerProcess, path: string, body: object) {
  const response = await fetch(`${address}/modbox${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${firstKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(text).not.toContain(testUser.password);
  // A wrong guess of its shape fails the test that makes it.
  return JSON.parse(text) as ReturnType<typeof JSON.parse>;
}

/** Every file of the home and beneath, the database and the logs among them. */
const everythingStored = (): string =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'config.json')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join();

const place = { sandbox: 'box', namespace: 'default' };
const run = async (from: ServerProcess, key: string, line: string): Promise<string> => {
  const words = { ...place, command: 'sh', args: ['-c', line] };
  return (await from.rpc('sandbox.command.run', words, key)).text;
};

it('serves sandboxes from an image of a registry, also while that is gone', async () => {
  const first = await startServer();
  const key = first.firstKey;
  const start = { ...place, config: { image: 'app' } };
  expect((await first.rpc('sandbox.start', start, key)).status).toBe(200);
  const text = await run(first, key, 'echo $IN; ls -d /usr/share; echo kept >/workspace/note');
  expect(text).toContain('image');
  expect(text).not.toContain('"/usr/share"');
  const image = { name: 'Private', image: 'team/private', tag: '1' };
  const provision = async (task_id: string, password: string) => {
    const where = { name: 'Ours', server: `http://${registry.host}`, username: testUser.username };
    const { id: registry_id } = await modbox(first, '/registries', { ...where, password });
    const { id: image_id } = await modbox(first, '/sandbox-images', { ...image, registry_id });
    const made = await modbox(first, '/sandboxes/provision', { task_id, image_id });
    return { ...made, ...(await modbox(first, '/sandboxes/wait', { task_id, timeout: 600 })) };
  };
  const refused = await provision('refused', 'another password');
  expect(refused).toMatchObject({ ready: false, error: expect.stringMatching(/regist/) });
  const { sandbox_id, ready, error } = await provision('private', testUser.password);
  expect([ready, error]).toEqual([true, null]);
  const listed = await modbox(first, `/s/${sandbox_id}/modbox/api/exec`, { command: 'ls -d /bin' });
  expect(listed).toMatchObject({ exitCode: 0, stdout: '/bin\n' });

  const { body: own } = await callApi(first.address, 'GET', '/registries', key);
  const added = { ...image, registry_id: own.registries.at(-1).id };
  const made = await callApi(first.address, 'POST', '/images', key, { ...added, name: 'mine' });
  expect(made.status, made.text).toBe(200);
  const pulled = await callApi(first.address, 'POST', '/images/mine/pull', key);
  expect(pulled.body, pulled.text).toMatchObject({ size_bytes: expect.any(Number) });
  const mine = { ...start, sandbox: 'mine', config: { image: 'mine' } };
  expect((await first.rpc('sandbox.start', mine, key)).status).toBe(200);
  const inMine = { ...place, sandbox: 'mine', command: 'ls', args: ['-d', '/bin'] };
  expect((await first.rpc('sandbox.command.run', inMine, key)).text).toContain('/bin');

  const none = { ...start, sandbox: 'other', config: { image: 'none' } };
  const unknown = await first.rpc('sandbox.start', none, key);
  expect(unknown.text).toContain('Images here: app');
  expect(await first.stop()).toBe(0);
  const log = readFileSync(join(home, 'logs/server.log'), 'utf8');
  expect(log).toContain('pulling an image');
  expect(log + first.output()).not.toContain(testUser.password);
  expect(everythingStored()).toContain('registry.create');
  expect(everythingStored()).not.toContain(testUser.password);

  await registry.stop();
  const second = await startServer();
  expect((await second.rpc('sandbox.start', start, key)).status).toBe(200);
  expect(await run(second, key, 'cat note')).toContain('kept');
  expect(await second.stop()).toBe(0);
});
