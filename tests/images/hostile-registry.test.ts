import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MemoryRegistry } from '../support/registry/memory-registry.ts';
import {
  digestOf,
  imageOf,
  layerOf,
  type TarEntry,
  type TestLayer,
  tarOf,
} from '../support/registry/test-image.ts';
import { createTestPuller, type TestPuller } from '../support/registry/test-puller.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const registry = new MemoryRegistry();
const elsewhere = new MemoryRegistry();
const folder = temporaryFolder();
let host: string;
let otherHost: string;
let puller: TestPuller;
let good: TestLayer;

beforeAll(async () => {
  host = await registry.listen();
  otherHost = (await elsewhere.listen()).replace('127.0.0.1', 'localhost');
  puller = createTestPuller(folder, { maxBytes: 1_000_000 });
  good = layerOf(await tarOf([{ name: 'file', body: 'what it holds' }]));
});

afterEach(() => {
  registry.intercept = () => false;
  elsewhere.intercept = () => false;
});

afterAll(async () => {
  await registry.close();
  await elsewhere.close();
});

let images = 0;

/** Puts an image of these layers under a name of its own, and pulls it. */
function pull(
  layers: readonly TestLayer[],
  credentials: { readonly username: string; readonly password: string } | null = null,
) {
  images += 1;
  registry.put(`hostile-${images}`, 'latest', imageOf({ layers }));
  return pullNamed(`hostile-${images}`, credentials);
}

const pullNamed = (
  name: string,
  credentials: { readonly username: string; readonly password: string } | null = null,
) => puller.images.pull({ reference: `${host}/${name}`, credentials, allowHttp: true });

const answerFor = (layer: TestLayer, answer: (response: ServerResponse) => void) => {
  registry.intercept = (request, response) => {
    if (request.method !== 'GET' || !request.url?.endsWith(digestOf(layer.bytes))) return false;
    answer(response);
    return true;
  };
};

const ownLayer = async (name: string): Promise<TestLayer> =>
  layerOf(await tarOf([{ name, body: name }]));

/** Nothing of what failed is left. */
function expectNothingLeft(): void {
  expect(puller.contents()).toEqual([]);
}

describe('what is not what its digest says', () => {
  it.each([
    ['a layer', (bytes: Buffer) => Buffer.from(bytes).fill(0x21, 12, 13)],
    ['a longer layer', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
  ])('%s', async (name, change) => {
    const layer = await ownLayer(name);
    answerFor(layer, (response) => response.end(change(layer.bytes)));
    await expect(pull([layer])).rejects.toMatchObject({ code: 'digest_mismatch' });
    expectNothingLeft();
  });

  it('a configuration, a manifest by its digest, and one whose registry says another', async () => {
    const image = imageOf({ layers: [good] });
    registry.put('changed', 'latest', image);
    registry.putBlob('changed', Buffer.from('{}'), digestOf(image.config));
    await expect(pullNamed('changed')).rejects.toMatchObject({ code: 'digest_mismatch' });
    const digest = `sha256:${'0'.repeat(64)}`;
    registry.intercept = (request, response) => {
      if (request.url?.includes('/manifests/') !== true) return false;
      response.setHeader('docker-content-digest', digest);
      response.setHeader('content-type', image.mediaType);
      response.end(image.manifest);
      return true;
    };
    await expect(pullNamed(`changed@${digest}`)).rejects.toMatchObject({ code: 'digest_mismatch' });
    await expect(pullNamed('changed')).rejects.toMatchObject({ code: 'digest_mismatch' });
    expectNothingLeft();
  });

  it('an archive inside of a layer, which the configuration describes', async () => {
    const layer = await ownLayer('inside');
    const lying = { ...layer, diffId: digestOf(Buffer.from('another')) };
    await expect(pull([lying])).rejects.toMatchObject({ code: 'digest_mismatch' });
    expectNothingLeft();
  });
});

describe('what does not end well', () => {
  it('a layer that is always cut at the same byte', async () => {
    const layer = await ownLayer('cut');
    answerFor(layer, (response) => {
      response.writeHead(200, { 'content-length': layer.bytes.length });
      response.write(layer.bytes.subarray(0, 10), () => response.destroy());
    });
    await expect(pull([layer])).rejects.toMatchObject({ code: 'registry_unreachable' });
    expectNothingLeft();
  });

  it('a layer, a manifest and a configuration without end', async () => {
    const endless = (response: ServerResponse): void => {
      const piece = Buffer.alloc(65_536);
      const write = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    };
    const layer = await ownLayer('endless');
    answerFor(layer, endless);
    await expect(pull([layer])).rejects.toMatchObject({ code: 'digest_mismatch' });
    for (const path of ['/manifests/', digestOf(imageOf({ layers: [layer] }).config)]) {
      registry.intercept = ({ url = '' }, response) => {
        if (!url.includes(path)) return false;
        endless(response);
        return true;
      };
      await expect(pull([layer])).rejects.toMatchObject({ code: 'registry_unreachable' });
    }
    expectNothingLeft();
  });

  it('a registry that says nothing any more', async () => {
    const layer = await ownLayer('silent');
    answerFor(layer, (response) => response.writeHead(200).flushHeaders());
    registry.put('silent', 'latest', imageOf({ layers: [layer] }));
    // However busy the machine is, it is silent for longer.
    const impatient = createTestPuller(temporaryFolder(), { silenceMs: 100 });
    await expect(
      impatient.images.pull({ reference: `${host}/silent`, credentials: null, allowHttp: true }),
    ).rejects.toMatchObject({
      code: 'registry_unreachable',
      message: expect.stringContaining('silent'),
    });
  });

  it('a layer that is none, and one that ends in the middle', async () => {
    const text = layerOf(Buffer.from('not an archive at all'.repeat(100)));
    await expect(pull([text])).rejects.toMatchObject({ code: 'image_invalid' });
    const archive = await tarOf([{ name: 'a', body: Buffer.alloc(5_000) }]);
    await expect(pull([layerOf(archive.subarray(0, 2_000))])).rejects.toMatchObject({
      code: 'image_invalid',
    });
    const whole = layerOf(archive);
    const half = { ...whole, bytes: whole.bytes.subarray(0, whole.bytes.length - 12) };
    await expect(pull([half])).rejects.toMatchObject({ code: 'image_invalid' });
    expectNothingLeft();
  });
});

describe('what is too much', () => {
  it('a bomb: small, and large when it is unpacked', async () => {
    const archive = await tarOf([{ name: 'zeros', body: Buffer.alloc(3_000_000) }]);
    for (const compression of ['gzip', 'zstd'] as const) {
      const layer = layerOf(archive, compression);
      expect(layer.bytes.length).toBeLessThan(20_000);
      await expect(pull([layer])).rejects.toMatchObject({ code: 'image_too_large' });
    }
    expectNothingLeft();
  });

  it('layers that are small enough, and together are not', async () => {
    const part = async (name: string): Promise<TestLayer> =>
      layerOf(await tarOf([{ name, body: Buffer.alloc(600_000) }]));
    const layers = [await part('one'), await part('two')];
    await expect(pull(layers)).rejects.toMatchObject({ code: 'image_too_large' });
    await puller.images.removeOthers(new Set());
    expectNothingLeft();
  });

  it('a manifest that says so, before anything of it comes', async () => {
    const layer = { ...good, bytes: gzipSync(Buffer.alloc(0)) };
    const image = imageOf({ layers: [layer] });
    const text = image.manifest.toString('utf8').replace(/"size":\d+\}\]/, '"size":900000000000}]');
    registry.put('said', 'latest', { ...image, manifest: Buffer.from(text) });
    await expect(pullNamed('said')).rejects.toMatchObject({ code: 'image_too_large' });
    expect(registry.reads(layer.bytes)).toBe(0);
  });

  it('links that lead in circles', async () => {
    const circle: readonly TarEntry[] = [
      { name: 'a', type: 'symlink', linkname: 'b' },
      { name: 'b', type: 'symlink', linkname: 'a' },
      { name: 'a/file', body: 'beneath a circle' },
    ];
    const { image } = await pull([layerOf(await tarOf(circle))]);
    const opened = await puller.images.hold(image);
    // It leads nowhere, so a directory takes its place.
    expect(existsSync(join(opened?.directory ?? '', 'a/file'))).toBe(true);
    opened?.release();
    await puller.images.removeOthers(new Set());
    expectNothingLeft();
  });
});

describe('an entry that would leave the image', () => {
  const outside = 'sg-escaped';

  it.each<[string, readonly TarEntry[]]>([
    ['by two dots', [{ name: `../../${outside}`, body: 'out' }]],
    ['by two dots in the middle', [{ name: `a/../../../${outside}`, body: 'out' }]],
    ['as a hard link', [{ name: 'out', type: 'link', linkname: '../../../../etc/passwd' }]],
    ['as a hard link that is absolute', [{ name: 'out', type: 'link', linkname: '/etc/passwd' }]],
    ['by a whiteout', [{ name: 'a/.wh...', body: '' }]],
    ['by a name that is too long', [{ name: 'n'.repeat(300), body: '' }]],
  ])('%s: is refused', async (_, entries) => {
    const layer = layerOf(await tarOf([{ name: 'a/', type: 'directory' }, ...entries]));
    await expect(pull([layer])).rejects.toMatchObject({ code: 'image_invalid' });
    await puller.images.removeOthers(new Set());
    expectNothingLeft();
    expect(existsSync(join(folder, outside))).toBe(false);
  });

  it('by an absolute name or through a link: stays inside', async () => {
    const target = join(folder, outside);
    const entries: readonly TarEntry[] = [
      { name: `/${outside}`, body: 'absolute' },
      { name: 'link', type: 'symlink', linkname: folder },
      { name: `link/${outside}`, body: 'through' },
      { name: 'up', type: 'symlink', linkname: '../../../../../..' },
      { name: `up/${outside}-up`, body: 'up' },
      { name: 'file', type: 'symlink', linkname: target },
      { name: 'file', body: 'in place of the link' },
    ];
    const lower = layerOf(await tarOf(entries));
    const upper = layerOf(
      await tarOf([
        { name: `link/.wh.${outside}`, body: '' },
        { name: `up/tmp/${outside}`, body: 'from another layer' },
      ]),
    );
    const { image } = await pull([lower, upper]);
    const opened = await puller.images.hold(image);
    const root = opened?.directory ?? '';
    expect(existsSync(join(root, outside))).toBe(true);
    expect(existsSync(join(root, `${outside}-up`))).toBe(true);
    expect(existsSync(join(root, 'tmp', outside))).toBe(true);
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`/tmp/${outside}`)).toBe(false);
    opened?.release();
    await puller.images.removeOthers(new Set());
    expectNothingLeft();
  });
});

describe('where it may be called', () => {
  it.each([
    ['https://', '169.254.169.254/latest'],
    ['https://', '10.0.0.1:5000/app'],
    ['https://', '[::1]:5000/app'],
    ['http://', 'registry.example/app'],
  ])('not %s%s', async (scheme, reference) => {
    const allowHttp = scheme === 'http://';
    await expect(
      puller.images.pull({ reference, credentials: null, allowHttp }),
    ).rejects.toMatchObject({ code: 'registry_not_allowed' });
  });

  it('not where a redirect or a token server is private', async () => {
    const layer = await ownLayer('redirect');
    answerFor(layer, (response) =>
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    );
    await expect(pull([layer])).rejects.toMatchObject({ code: 'registry_not_allowed' });
    registry.intercept = (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://10.0.0.1/token"' }).end();
      return true;
    };
    await expect(pullNamed('anything')).rejects.toMatchObject({ code: 'registry_not_allowed' });
    expectNothingLeft();
  });

  it('not twenty times around', async () => {
    registry.intercept = (request, response) => {
      response.writeHead(307, { location: request.url ?? '/' }).end();
      return true;
    };
    await expect(pullNamed('around')).rejects.toMatchObject({ code: 'registry_unreachable' });
  });

  it.each([
    'UPPER/case',
    'a b',
    'name:tag:tag',
    'a@sha256:12',
    '../up',
    'a/',
    'host:99999999/a/',
    '',
  ])('not by the reference "%s"', async (reference) => {
    await expect(puller.images.pull({ reference, credentials: null })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('credentials', () => {
  const credentials = { username: 'somebody', password: 'secret of theirs' };
  const basic = `Basic ${Buffer.from('somebody:secret of theirs').toString('base64')}`;
  const demand = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.headers.authorization === basic) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
    return true;
  };

  it('do not go where a layer is redirected to, also not when it asks for them', async () => {
    const layer = await ownLayer('with credentials');
    const path = `/elsewhere/${digestOf(layer.bytes)}`;
    registry.intercept = (request, response) => {
      if (demand(request, response)) return true;
      if (request.url?.endsWith(digestOf(layer.bytes)) !== true) return false;
      response.writeHead(302, { location: `http://${otherHost}${path}` }).end();
      return true;
    };
    elsewhere.intercept = (_, response) => {
      response.writeHead(401, { 'www-authenticate': `Basic realm="x"` }).end();
      return true;
    };
    await expect(pull([layer], credentials)).rejects.toMatchObject({
      code: 'registry_unreachable',
    });
    elsewhere.intercept = (_, response) => {
      response.end(layer.bytes);
      return true;
    };
    expect((await pull([layer], credentials)).layers).toEqual([digestOf(layer.bytes)]);
    expect(elsewhere.requests.length).toBeGreaterThan(1);
    for (const { authorization } of elsewhere.requests) expect(authorization).toBeUndefined();
    await puller.images.removeOthers(new Set());
  });

  it('are asked for, and refused, in words of their own', async () => {
    registry.intercept = demand;
    await expect(pull([good])).rejects.toMatchObject({
      code: 'registry_unauthorized',
      message: expect.stringContaining('wants'),
    });
    const wrong = { ...credentials, password: 'wrong' };
    const failure = await pull([good], wrong).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'registry_unauthorized' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wrong');
  });

  it('of others do not give anybody what is here already', async () => {
    const layer = await ownLayer('of a tenant');
    await pull([layer]);
    // Another repository of the registry names the layer, which its users may not have.
    const image = imageOf({ layers: [layer], config: { User: 'thief' } });
    registry.put('thief', 'latest', image);
    registry.intercept = (request, response) => {
      if (request.url !== `/v2/thief/blobs/${digestOf(layer.bytes)}`) return false;
      response.writeHead(404).end();
      return true;
    };
    await expect(pullNamed('thief')).rejects.toMatchObject({ code: 'image_not_found' });
    // Another registry that claims to have it has to send it.
    elsewhere.put('thief', 'latest', image);
    elsewhere.intercept = (request, response) => {
      if (request.method === 'HEAD' || !request.url?.endsWith(digestOf(layer.bytes))) return false;
      response.writeHead(404).end();
      return true;
    };
    await expect(
      puller.images.pull({ reference: `${otherHost}/thief`, credentials: null, allowHttp: true }),
    ).rejects.toMatchObject({ code: 'image_not_found' });
  });
});
