import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type {
  Engine,
  EngineSandbox,
  EngineSandboxSpec,
  OutputChunk,
  PulledImage,
} from '@sandgate/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createNamespaceEngine } from '../../packages/server/src/engines/namespace/namespace-engine.ts';
import { smallRoot } from '../support/docker/build-image.ts';
import {
  type DockerRegistry,
  startDockerRegistry,
  testUser,
} from '../support/registry/docker-registry.ts';
import { imageOf, layerOf, type TestLayer, tarOf } from '../support/registry/test-image.ts';
import { createTestPuller, type TestPuller } from '../support/registry/test-puller.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
let registry: DockerRegistry;
let puller: TestPuller;
let engine: Engine;
let pulled: PulledImage;
let base: TestLayer;

beforeAll(async () => {
  registry = await startDockerRegistry(folder, 'htpasswd');
  base = layerOf(smallRoot('cat', 'ls', 'id', 'grep', 'cut', 'tr'), 'none');
  const own = layerOf(
    await tarOf([
      { name: 'srv/app/', type: 'directory' },
      { name: 'srv/app/data', mode: 0o600, body: 'of the image\n' },
      { name: 'etc/passwd', body: 'root:x:0:0:root:/root:/bin/sh\nservice:x:7:7::/:/bin/false\n' },
      { name: 'etc/setting', body: 'set\n' },
      { name: 'etc/deep/out', type: 'symlink', linkname: '../../srv/app/data' },
      { name: 'tmp/left', body: 'left' },
      // In the place of what is the sandbox's own.
      { name: '.sandbox/scripts/start', body: 'of the image' },
      { name: 'dev/null', body: 'of the image' },
      { name: 'proc', type: 'symlink', linkname: '/srv' },
      { name: 'workspace', type: 'symlink', linkname: '/etc' },
      { name: 'home', type: 'symlink', linkname: '/etc' },
      { name: 'out', type: 'symlink', linkname: folder },
    ]),
  );
  await registry.push(
    'team/app',
    '1',
    imageOf({
      layers: [base, own],
      config: {
        Env: ['FROM_IMAGE=yes', 'BOTH=image', 'PATH=/usr/bin:/bin'],
        WorkingDir: '/srv/app',
      },
    }),
  );
  puller = createTestPuller(folder);
  const stateDirectory = join(folder, 'state');
  mkdirSync(stateDirectory, { mode: 0o700 });
  engine = createNamespaceEngine({ stateDirectory, launcher: 'bubblewrap', images: puller.images });
  const reference = `${registry.host}/team/app:1`;
  const images = engine.images;
  if (images === undefined) throw new Error('the engine has no images');
  pulled = await images.pull({ reference, credentials: testUser, allowHttp: true });
});

afterAll(async () => {
  await engine?.close();
  await registry?.stop();
});

const start = (changes: Partial<EngineSandboxSpec> = {}): Promise<EngineSandbox> =>
  engine.start({
    id: randomBytes(12).toString('hex'),
    hostname: 'box',
    image: 'team/app',
    pulledImage: pulled.image,
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
    environment: { BOTH: 'request' },
    workdir: pulled.config.workdir ?? '/workspace',
    mounts: [],
    scripts: {},
    ...changes,
  });

async function shell(sandbox: EngineSandbox, line: string): Promise<string> {
  let text = '';
  const onOutput = ({ stream, data }: OutputChunk): void => {
    if (stream === 'stdout') text += data.toString('utf8');
  };
  await sandbox.exec({ argv: ['sh', '-c', line], onOutput });
  return text;
}

it('runs a sandbox from the image, with its variables and its working directory', async () => {
  const sandbox = await start();
  expect(
    await shell(
      sandbox,
      'echo $FROM_IMAGE $BOTH $PATH; pwd; cat data; id -un; cat /etc/setting /etc/deep/out',
    ),
  ).toBe('yes request /usr/bin:/bin\n/srv/app\nof the image\nsandbox\nset\nof the image\n');
  // What the image has stays as it is, and there is room beside it.
  const written =
    'echo x >data; echo x >/usr/bin/new; echo new >beside && cat beside; echo x >/etc/new && cat /etc/new';
  expect(await shell(sandbox, written)).toBe('new\nx\n');
  expect(await shell(sandbox, 'cat data; grep -c service /etc/passwd; ls /tmp /home')).toBe(
    'of the image\n1\n/home:\nsandbox\n\n/tmp:\n',
  );
  // Nothing of the host is there that the image has not brought.
  expect(await shell(sandbox, `ls -d /usr/share /opt ${folder} /out/. 2>/dev/null; true`)).toBe('');
  const own =
    'ls /.sandbox/scripts; cat /dev/null; ls -d /proc/self/status; ls -ld /workspace | cut -c1';
  expect(await shell(sandbox, own)).toBe('/proc/self/status\nd\n');
  const status = 'grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"';
  expect(await shell(sandbox, status)).toBe('CapBnd:0000000000000000\nNoNewPrivs:1\nSeccomp:2\n');
  expect(() => sandbox.kernel('python')).toThrow('no python kernel');
  await sandbox.writeFile('/srv/app/file', Buffer.from('by the files API'));
  await sandbox.stop();
  const again = await start({ id: sandbox.id });
  expect(await shell(again, 'cat file beside /etc/new')).toBe('by the files APInew\nx\n');
  await again.stop({ keepLayer: false });
});

it('keeps an image for as long as a sandbox runs from it, and then lets it go', async () => {
  const other = imageOf({
    layers: [base],
    config: { Env: ['PATH=/bin'], User: 'nobody' },
  });
  await registry.push('team/other', '1', other);
  const image = await engine.images?.pull({
    reference: `${registry.host}/team/other:1`,
    credentials: testUser,
    allowHttp: true,
  });
  const pulledImage = image?.image ?? '';
  const sandbox = await start({ pulledImage, workdir: '/made' });
  await engine.images?.removeOthers(new Set([pulled.image]));
  expect(await shell(sandbox, 'pwd; ls -d /usr')).toBe('/made\n/usr\n');
  await sandbox.stop({ keepLayer: false });
  await engine.images?.removeOthers(new Set([pulled.image]));
  await expect(start({ pulledImage })).rejects.toMatchObject({ code: 'image_unknown' });
});

it('mounts no directory of the host, since the image would say whether it is the right one', async () => {
  const mounts = [{ hostPath: folder, guestPath: '/mounted', readOnly: true }];
  await expect(start({ mounts })).rejects.toMatchObject({ code: 'volume_refused' });
});

it('refuses an image in which nothing can be run', async () => {
  const empty = imageOf({
    layers: [layerOf(await tarOf([{ name: 'bin/sh', body: '', mode: 0o755 }]))],
  });
  await registry.push('team/empty', '1', empty);
  const reference = `${registry.host}/team/empty:1`;
  const image = await engine.images?.pull({ reference, credentials: testUser, allowHttp: true });
  await expect(start({ pulledImage: image?.image ?? '' })).rejects.toMatchObject({
    code: 'image_invalid',
    message: expect.stringContaining('no shell with env and setsid'),
  });
  await expect(start({ pulledImage: 'other/name@sha256:00' })).rejects.toMatchObject({
    code: 'image_unknown',
  });
});

it('makes templates of a directory and an archive of this machine, and tells what is none', async () => {
  const root = join(temporaryFolder(), 'root');
  const archive = join(root, '..', 'root.tar.gz');
  chmodSync(join(root, '..'), 0o755);
  mkdirSync(root);
  writeFileSync(archive, gzipSync(smallRoot('cat', 'ls', 'stat'), { level: 1 }));
  execFileSync('tar', ['-xf', archive, '-C', root]);
  chmodSync(root, 0o755);
  writeFileSync(join(root, 'own'), 'of the directory');
  mkdirSync(join(root, 'srv/app'), { recursive: true });
  writeFileSync(join(root, 'srv/app/data'), '');
  symlinkSync(folder, join(root, 'out'));
  const stateDirectory = join(folder, 'other-state');
  const local = (name: string, path: string) => ({
    name,
    description: path,
    setting: `images.local.${name}`,
    hold: () => puller.images.holdLocal(name, path),
  });
  const sources = [local('folder', root), local('archive', archive), local('none', '/nowhere')];
  const other = createNamespaceEngine({
    stateDirectory,
    launcher: 'bubblewrap',
    templateImages: [...sources, local('file', join(root, 'own'))],
  });
  try {
    const { templates, findings } = await other.probe();
    const names = templates.map(({ name }) => name).filter((name) => !name.includes('/'));
    expect(names).toEqual(['folder', 'archive']);
    const missing = findings.filter(
      ({ status, subject }) => status === 'missing' && /^image/.test(subject),
    );
    expect(missing.map(({ subject }) => subject)).toEqual(['image none', 'image file']);
    const spec = {
      hostname: 'box',
      environment: {},
      workdir: '/workspace',
      mounts: [],
      scripts: {},
    };
    const resources = { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 };
    for (const image of ['folder', 'archive']) {
      const id = randomBytes(12).toString('hex');
      const sandbox = await other.start({ ...spec, id, image, resources });
      const text = await shell(sandbox, 'cat /own; pwd; cat /usr/share/*; true');
      expect(text).toBe(image === 'folder' ? 'of the directory/workspace\n' : '/workspace\n');
      await sandbox.stop({ keepLayer: false });
    }
    // Beneath what the image has, and never where a link of it leads.
    const mount = async (guestPath: string) => {
      const mounts = [{ hostPath: temporaryFolder(), guestPath, readOnly: true }];
      const id = randomBytes(12).toString('hex');
      return await other.start({ ...spec, id, image: 'folder', resources, mounts });
    };
    const mounted = await mount('/srv/app/mounted');
    expect(await shell(mounted, 'cd /srv/app; ls -d mounted data')).toBe('data\nmounted\n');
    await mounted.stop({ keepLayer: false });
    for (const path of ['/out/there', '/out', '/srv/app/data/below']) {
      await expect(mount(path)).rejects.toMatchObject({ code: 'volume_refused' });
    }
    // A template stays.
    await puller.images.removeOthers(new Set([pulled.image]));
    const id = randomBytes(12).toString('hex');
    await (await other.start({ ...spec, id, image: 'archive', resources })).stop({
      keepLayer: false,
    });
  } finally {
    await other.close();
  }
});
