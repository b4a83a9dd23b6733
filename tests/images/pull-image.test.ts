import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ImagePullProgress } from '@sandgate/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MemoryRegistry } from '../support/registry/memory-registry.ts';
import {
  digestOf,
  imageOf,
  indexOf,
  indexType,
  layerOf,
  ownArchitecture,
  tarOf,
} from '../support/registry/test-image.ts';
import { createTestPuller } from '../support/registry/test-puller.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const registry = new MemoryRegistry();
const folder = temporaryFolder();
let host: string;

beforeAll(async () => {
  host = await registry.listen();
});

afterAll(() => registry.close());

const fromHere = (name: string) => ({
  reference: `${host}/${name}`,
  credentials: null,
  allowHttp: true,
});

it('brings all layers of an image, each kind of packing, with what hides what', async () => {
  const { images, directory } = createTestPuller(folder);
  const lowest = layerOf(
    await tarOf([
      { name: 'usr/', type: 'directory' },
      { name: 'usr/bin/', type: 'directory' },
      { name: 'usr/bin/tool', mode: 0o4711, mtime: new Date(1_600_000_000_000), body: 'tool' },
      { name: 'usr/bin/same', type: 'link', linkname: 'usr/bin/tool' },
      { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
      { name: 'etc/kept', mode: 0o600, body: 'kept' },
      { name: 'etc/hidden', body: 'hidden' },
      { name: 'opaque/below', body: 'below' },
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 },
    ]),
    'docker',
  );
  const middle = layerOf(
    await tarOf([
      { name: './etc/.wh.hidden', body: '' },
      { name: 'opaque/above', body: 'above' },
      { name: 'opaque/.wh..wh..opq', body: '' },
      // Of another layer than the link: it goes where the link leads.
      { name: '/bin/through', body: 'through' },
    ]),
    'zstd',
  );
  const highest = layerOf(await tarOf([{ name: 'etc/kept', body: 'changed' }]), 'none');
  const image = imageOf({
    layers: [lowest, middle, highest],
    kind: 'docker',
    config: {
      Env: ['PATH=/usr/bin:/bin', 'EMPTY=', 'NO NAME=x'],
      Entrypoint: ['/usr/bin/tool'],
      Cmd: ['--help'],
      WorkingDir: '/srv',
      User: 'node',
      ExposedPorts: { '8080/tcp': {} },
    },
  });
  registry.put('team/app', '1.2', image);
  const seen: ImagePullProgress[] = [];
  const pulled = await images.pull({
    ...fromHere('team/app:1.2'),
    onProgress: (progress) => seen.push(progress),
  });
  expect(pulled).toEqual({
    image: `${host}/team/app@${digestOf(image.manifest)}`,
    digest: digestOf(image.manifest),
    layers: image.layers.map(({ bytes }) => digestOf(bytes)),
    config: {
      env: { PATH: '/usr/bin:/bin', EMPTY: '' },
      entrypoint: ['/usr/bin/tool'],
      cmd: ['--help'],
      workdir: '/srv',
      user: 'node',
      exposedPorts: ['8080/tcp'],
    },
    sizeBytes: expect.any(Number),
  });
  const opened = await images.hold(pulled.image);
  const root = opened?.directory ?? '';
  const text = (path: string): string => readFileSync(join(root, path), 'utf8');
  expect(text('usr/bin/tool')).toBe('tool');
  expect(text('etc/kept')).toBe('changed');
  expect(text('usr/bin/through')).toBe('through');
  expect(readlinkSync(join(root, 'bin'))).toBe('usr/bin');
  expect(existsSync(join(root, 'etc/hidden'))).toBe(false);
  expect(existsSync(join(root, 'opaque/below'))).toBe(false);
  expect(text('opaque/above')).toBe('above');
  expect(existsSync(join(root, 'dev/null'))).toBe(false);
  const tool = statSync(join(root, 'usr/bin/tool'));
  expect(tool.mode & 0o7777).toBe(0o755);
  expect(tool.mtimeMs).toBe(1_600_000_000_000);
  expect(statSync(join(root, 'usr/bin/same')).ino).toBe(tool.ino);
  // Everybody may read the image: it is there to be read by a sandbox's user.
  expect(lstatSync(join(root, 'etc/kept')).mode & 0o7777).toBe(0o644);
  expect(statSync(join(directory, 'layers')).mode & 0o7777).toBe(0o700);
  expect(statSync(join(directory, 'roots')).mode & 0o7777).toBe(0o711);
  opened?.release();

  const phases = seen.map(({ phase }) => phase);
  expect(phases[0]).toBe('resolving');
  expect(phases).toContain('downloading');
  const total = image.layers.reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(seen.at(-1)).toEqual({ phase: 'ready', layer: null, doneBytes: total, totalBytes: total });
});

it('takes the manifest of the wanted platform out of an index, and names the others', async () => {
  const { images } = createTestPuller(folder);
  const layers = [layerOf(await tarOf([{ name: 'a', body: 'a' }]))];
  const own = imageOf({ layers });
  const other = imageOf({ layers, architecture: 's390x' });
  const index = indexOf([
    { image: other, platform: { os: 'linux', architecture: 's390x' } },
    { image: own, platform: { os: 'linux', architecture: ownArchitecture, variant: 'v8' } },
  ]);
  registry.put('many', 'other', other);
  registry.put('many', 'own', own);
  registry.putManifest('many', 'latest', index, indexType);
  expect((await images.pull(fromHere('many'))).digest).toBe(digestOf(own.manifest));
  const byDigest = await images.pull(fromHere(`many@${digestOf(index)}`));
  expect(byDigest.digest).toBe(digestOf(own.manifest));
  const platform = { os: 'linux', architecture: 's390x' };
  const asked = await images.pull({ ...fromHere('many'), platform });
  expect(asked.digest).toBe(digestOf(other.manifest));
  await expect(
    images.pull({ ...fromHere('many'), platform: { os: 'linux', architecture: 'riscv64' } }),
  ).rejects.toMatchObject({
    code: 'platform_not_offered',
    message: expect.stringContaining(`linux/s390x, linux/${ownArchitecture}/v8`),
  });
  // One without an index is for one platform too.
  await expect(images.pull(fromHere('many:other'))).rejects.toMatchObject({
    code: 'platform_not_offered',
  });
});

it('transfers what several pull at once one time, and what is here not at all', async () => {
  const { images, contents } = createTestPuller(temporaryFolder());
  const shared = layerOf(await tarOf([{ name: 'shared', body: 'of both' }]));
  const own = layerOf(await tarOf([{ name: 'own', body: 'of one' }]));
  const one = imageOf({ layers: [shared] });
  const two = imageOf({ layers: [shared, own] });
  registry.put('one', 'latest', one);
  registry.put('two', 'latest', two);
  const pulled = await Promise.all([
    images.pull(fromHere('one')),
    images.pull(fromHere('one')),
    images.pull(fromHere('two')),
  ]);
  expect(registry.reads(shared.bytes)).toBe(1);
  expect(registry.reads(own.bytes)).toBe(1);
  expect(pulled[1]).toEqual(pulled[0]);
  const before = contents();
  await images.pull(fromHere('two'));
  expect(registry.reads(shared.bytes)).toBe(1);
  expect(contents()).toEqual(before);
  expect(before.filter((name) => name.startsWith('partial/'))).toEqual([]);
  expect(before.filter((name) => name.startsWith('layers/'))).toHaveLength(2);
});

it('goes on where a connection ended', async () => {
  const { images } = createTestPuller(temporaryFolder());
  const body = Buffer.alloc(300_000, 'some of it ');
  const layer = layerOf(await tarOf([{ name: 'large', body }]), 'none');
  registry.put('cut', 'latest', imageOf({ layers: [layer] }));
  const ranges: (string | undefined)[] = [];
  registry.intercept = (request, response) => {
    if (request.url?.endsWith(digestOf(layer.bytes)) !== true) return false;
    ranges.push(request.headers.range);
    if (ranges.length === 3) return false;
    const [, from = '0'] = /(\d+)/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from);
    // The second one knows no ranges, and begins anew.
    response.writeHead(200, { 'content-length': layer.bytes.length });
    response.write(layer.bytes.subarray(0, start + 100_000), () => response.destroy());
    return true;
  };
  const { image } = await images.pull(fromHere('cut'));
  registry.intercept = () => false;
  expect(ranges).toHaveLength(3);
  for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-$/);
  const opened = await images.hold(image);
  expect(readFileSync(join(opened?.directory ?? '', 'large')).equals(body)).toBe(true);
});

it('gives up what nobody waits for any more, and leaves nothing of it', async () => {
  const { images, contents } = createTestPuller(temporaryFolder());
  const layer = layerOf(await tarOf([{ name: 'slow', body: 'slow' }]), 'none');
  registry.put('slow', 'latest', imageOf({ layers: [layer] }));
  const leaving = new AbortController();
  const closed = Promise.withResolvers<void>();
  registry.intercept = (request, response) => {
    if (request.url?.endsWith(digestOf(layer.bytes)) !== true) return false;
    response.writeHead(200, { 'content-length': layer.bytes.length });
    response.write(layer.bytes.subarray(0, 10), () => leaving.abort(new Error('left')));
    response.once('close', closed.resolve);
    return true;
  };
  const pulling = images.pull({ ...fromHere('slow'), signal: leaving.signal });
  await expect(pulling).rejects.toThrow('left');
  await closed.promise;
  registry.intercept = () => false;
  await expect.poll(contents).toEqual([]);
});

it('removes what nobody has use for, and no layer that another image needs', async () => {
  const { images, contents } = createTestPuller(temporaryFolder());
  const shared = layerOf(await tarOf([{ name: 'shared', body: 'of both' }]));
  const own = layerOf(await tarOf([{ name: 'own', body: 'of one' }]));
  registry.put('keep', 'latest', imageOf({ layers: [shared] }));
  registry.put('drop', 'latest', imageOf({ layers: [shared, own] }));
  const kept = await images.pull(fromHere('keep'));
  const dropped = await images.pull(fromHere('drop'));
  const opened = await images.hold(dropped.image);
  await images.removeOthers(new Set([kept.image]));
  expect((await images.list()).map(({ image }) => image).toSorted()).toEqual(
    [dropped.image, kept.image].toSorted(),
  );
  opened?.release();
  const { freedBytes } = await images.removeOthers(new Set([kept.image]));
  expect(freedBytes).toBeGreaterThan(0);
  expect(await images.find(dropped.image)).toBeNull();
  expect(contents().filter((name) => !name.startsWith('records/'))).toHaveLength(2);
  expect(await images.hold(dropped.image)).toBeNull();
  expect(await images.find(kept.image)).toEqual(kept);
});

it('removes the longest unused first where there is too little room', async () => {
  const { images } = createTestPuller(temporaryFolder(), { maxStoreBytes: 12_000 });
  const names = ['first', 'second', 'third'];
  for (const name of names) {
    const layer = layerOf(await tarOf([{ name, body: Buffer.alloc(4_000, name) }]));
    registry.put(name, 'latest', imageOf({ layers: [layer] }));
  }
  const first = await images.pull(fromHere('first'));
  const second = await images.pull(fromHere('second'));
  (await images.hold(first.image))?.release();
  const third = await images.pull(fromHere('third'));
  expect(await images.find(second.image)).toBeNull();
  expect((await images.list()).map(({ image }) => image)).toEqual([first.image, third.image]);
});

it('leaves room on the disk for everything else', async () => {
  const { images, contents } = createTestPuller(temporaryFolder(), { reservedBytes: 1e18 });
  registry.put('roomless', 'latest', imageOf({ layers: [layerOf(await tarOf([{ name: 'a' }]))] }));
  await expect(images.pull(fromHere('roomless'))).rejects.toMatchObject({ code: 'disk_full' });
  expect(contents()).toEqual([]);
});

it('begins with what an earlier server has finished, and removes what it has not', async () => {
  const own = temporaryFolder();
  const { images } = createTestPuller(own);
  for (const name of ['whole', 'half']) {
    const layer = layerOf(await tarOf([{ name, body: name }]));
    registry.put(name, 'latest', imageOf({ layers: [layer] }));
  }
  const whole = await images.pull(fromHere('whole'));
  const half = await images.pull(fromHere('half'));
  const { directory, images: next, contents } = createTestPuller(own);
  const record = createHash('sha256').update(half.image).digest('hex');
  rmSync(join(directory, 'records', `${record}.json`));
  writeFileSync(join(directory, 'partial', 'blob'), 'half of it');
  expect(await next.list()).toEqual([whole]);
  expect(contents().map((name) => name.split('/')[0])).toEqual(['layers', 'records', 'roots']);
  const opened = await next.hold(whole.image);
  expect(readFileSync(join(opened?.directory ?? '', 'whole'), 'utf8')).toBe('whole');
});

it('transfers one image of a workspace at a time, and holds up no other workspace', async () => {
  const { images } = createTestPuller(temporaryFolder());
  const layers = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const layer = layerOf(await tarOf([{ name, body: `in turn ${name}` }]));
      registry.put(`turns/${name}`, 'latest', imageOf({ layers: [layer] }));
      return layer.bytes;
    }),
  );
  const [slow = Buffer.alloc(0), next = Buffer.alloc(0)] = layers;
  const asked = (what: string): Promise<void> =>
    new Promise((resolve) => {
      registry.intercept = ({ url = '' }) => {
        if (url.endsWith(what)) resolve();
        // What is slow never comes.
        return url.endsWith(digestOf(slow));
      };
    });
  try {
    const givenUp = new AbortController();
    const slowAsked = asked(digestOf(slow));
    const { signal } = givenUp;
    const first = images.pull({ ...fromHere('turns/a'), workspaceId: 'one', signal });
    first.catch(() => undefined);
    await slowAsked;
    const nextAsked = asked('turns/b/manifests/latest');
    const second = images.pull({ ...fromHere('turns/b'), workspaceId: 'one' });
    await nextAsked;
    await images.pull({ ...fromHere('turns/c'), workspaceId: 'two' });
    expect(registry.reads(next)).toBe(0);
    givenUp.abort();
    await expect(first).rejects.toThrow();
    await second;
    expect(registry.reads(next)).toBe(1);
  } finally {
    registry.intercept = () => false;
  }
});
