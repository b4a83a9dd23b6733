import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRegistryGate } from '../../packages/server/src/registry/registry-gate.ts';
import {
  type DockerRegistry,
  startDockerRegistry,
  testUser,
} from '../support/registry/docker-registry.ts';
import {
  digestOf,
  imageOf,
  layerOf,
  type TestImage,
  tarOf,
} from '../support/registry/test-image.ts';
import { createTestPuller } from '../support/registry/test-puller.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const ways = ['open', 'htpasswd', 'token'] as const;
let registries: Record<(typeof ways)[number], DockerRegistry>;
let image: TestImage;

beforeAll(async () => {
  const started = await Promise.all(ways.map((way) => startDockerRegistry(folder, way)));
  const [open, htpasswd, token] = started as [DockerRegistry, DockerRegistry, DockerRegistry];
  registries = { open, htpasswd, token };
  const archive = await tarOf([{ name: 'note', body: 'from a real registry' }]);
  image = imageOf({ layers: [layerOf(archive), layerOf(await tarOf([{ name: 'b', body: 'b' }]))] });
  await Promise.all(started.map((registry) => registry.push('team/app', '1.0', image)));
});

afterAll(() => Promise.all(Object.values(registries ?? {}).map((registry) => registry.stop())));

it.each(ways)(
  'pulls from a registry of the kind "%s", with the password that it wants',
  async (way) => {
    const { images } = createTestPuller(temporaryFolder());
    const request = { reference: `${registries[way].host}/team/app:1.0`, allowHttp: true };
    const credentials = way === 'open' ? null : testUser;
    const pulled = await images.pull({ ...request, credentials });
    expect(pulled.digest).toBe(digestOf(image.manifest));
    const opened = await images.hold(pulled.image);
    expect(readFileSync(join(opened?.directory ?? '', 'note'), 'utf8')).toBe(
      'from a real registry',
    );
    opened?.release();
    await expect(
      images.pull({ ...request, credentials, reference: `${registries[way].host}/team/none` }),
    ).rejects.toMatchObject({ code: 'image_not_found' });
    if (way === 'open') return;
    for (const refused of [null, { ...testUser, password: 'another' }]) {
      await expect(images.pull({ ...request, credentials: refused })).rejects.toMatchObject({
        code: 'registry_unauthorized',
      });
    }
  },
);

it.each(ways)('tells whether a registry of the kind "%s" lets a user in', async (way) => {
  const gate = createRegistryGate({
    allowedPrivateHosts: ['127.0.0.1', 'localhost'],
    resolve: async () => ['127.0.0.1'],
  });
  const place = { server: registries[way].host, allowHttp: true };
  const knock = async (password: string) =>
    await gate.knock(place, { ...testUser, password }, new AbortController().signal);
  expect(await knock(testUser.password)).toBe(way === 'open' ? 'not_asked' : 'accepted');
  if (way === 'open') return;
  await expect(knock('another')).rejects.toMatchObject({ code: 'registry_unauthorized' });
});
