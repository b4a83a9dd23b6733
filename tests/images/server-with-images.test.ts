import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

beforeAll(async () => {
  registry = await startDockerRegistry(folder, 'htpasswd');
  const layers = [layerOf(smallRoot('cat', 'ls'), 'none')];
  await registry.push(
    'team/app',
    '1',
    imageOf({ layers, config: { Env: ['PATH=/bin', 'IN=image'] } }),
  );
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

afterAll(() => registry?.stop());

const place = { sandbox: 'box', namespace: 'default' };
const run = async (server: ServerProcess, key: string, line: string): Promise<string> => {
  const words = { ...place, command: 'sh', args: ['-c', line] };
  return (await server.rpc('sandbox.command.run', words, key)).text;
};

it('serves sandboxes from an image of a registry, also while that is gone', async () => {
  const first = await startServerProcess({ home });
  const key = first.firstKey;
  const start = { ...place, config: { image: 'app' } };
  expect((await first.rpc('sandbox.start', start, key)).status).toBe(200);
  const text = await run(first, key, 'echo $IN; ls -d /usr/share; echo kept >/workspace/note');
  expect(text).toContain('image');
  expect(text).not.toContain('"/usr/share"');
  const none = { ...start, sandbox: 'other', config: { image: 'none' } };
  const unknown = await first.rpc('sandbox.start', none, key);
  expect(unknown.text).toContain('Images here: app');
  expect(await first.stop()).toBe(0);
  const log = readFileSync(join(home, 'logs/server.log'), 'utf8');
  expect(log).toContain('pulling an image');
  expect(log + first.output()).not.toContain(testUser.password);

  await registry.stop();
  const second = await startServerProcess({ home });
  expect((await second.rpc('sandbox.start', start, key)).status).toBe(200);
  expect(await run(second, key, 'cat note')).toContain('kept');
  expect(await second.stop()).toBe(0);
});
