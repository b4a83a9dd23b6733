import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, EngineSandbox, EngineSandboxSpec } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runShell } from '../../contract/contract-suite.ts';
import { readMountPoints } from '../launcher/mount-points.ts';
import { createNamespaceEngine } from '../namespace-engine.ts';
import { createRuntimeDirectory } from '../runtime-directory.ts';
import { readAll, startServer } from '../start-server-in-test.ts';

const isRoot = process.getuid?.() === 0;

let state: string;
const engines: Engine[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-volumes-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const engine of engines.splice(0)) await engine.close();
  rmSync(state, { recursive: true, force: true });
});

const newId = (): string => randomBytes(12).toString('hex');

function openEngine(): Engine {
  const engine = createNamespaceEngine({ stateDirectory: state });
  engines.push(engine);
  return engine;
}

function start(engine: Engine, volumeId: string, readOnly = false): Promise<EngineSandbox> {
  const spec: EngineSandboxSpec = {
    id: newId(),
    hostname: 'box',
    image: 'microsandbox/node',
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
    environment: {},
    workdir: '/workspace',
    mounts: [],
    scripts: {},
    volumes: [{ volumeId, guestPath: '/data', readOnly }],
  };
  return engine.start(spec);
}

it('in memory has its size, at most half of its sandbox’s, and its files at the next start', async () => {
  const engine = openEngine();
  const { volumes } = createRuntimeDirectory(state);
  const id = newId();
  writeFileSync(join(volumes, `${id}.24.memory`), '');
  const first = await start(engine, id);
  const fill = 'echo kept >/data/file; head -c 30000000 /dev/zero >/data/fill; rm /data/fill';
  expect((await runShell(first, fill)).stderr).toContain('No space left on device');
  await first.stop({ keepLayer: false });
  const second = await start(engine, id, true);
  const write = 'cat /data/file; (echo x >/data/file) 2>/dev/null || echo refused';
  expect((await runShell(second, write)).stdout).toBe('kept\nrefused\n');
  await runShell(second, 'chmod u+w /data /data/file; echo forced >/data/file');
  await second.stop();
  const third = await start(engine, id);
  expect((await runShell(third, 'cat /data/file')).stdout).toBe('kept\n');
  await third.stop();
  expect((await engine.volumes?.list())?.get(id)?.sizeMib).toBe(24);
  await engine.volumes?.remove(id);
  expect(readdirSync(volumes)).toEqual([]);
  const large = newId();
  writeFileSync(join(volumes, `${large}.129.memory`), '');
  await expect(start(engine, large)).rejects.toMatchObject({ code: 'volume_refused' });
});

it('is in memory when the server is an ordinary user, and the report says why', async () => {
  const own = join(state, 'own');
  mkdirSync(own, { mode: 0o700 });
  chmodSync(state, 0o755);
  if (isRoot) chownSync(own, 1_234_567, 1_234_567);
  const server = { stateDirectory: own, launcher: 'bubblewrap' } as const;
  const child = startServer(
    { ...server, ...(isRoot ? { user: 1_234_567 } : {}) },
    `const { capabilities, findings } = await engine.probe();
     console.log(capabilities.volumes);
     console.log(findings.find(({ subject }) => subject === 'volumes').message);
     const volumeId = 'd'.repeat(24);
     await engine.volumes.create(volumeId, { sizeMib: 16 });
     const volumes = [{ volumeId, guestPath: '/data', readOnly: false }];
     const first = await engine.start({ ...spec, volumes });
     await run(first, 'sh', '-c', 'echo kept >/data/file');
     await first.stop({ keepLayer: false });
     const second = await engine.start({ ...spec, volumes });
     console.log((await run(second, 'cat', '/data/file'))[1].trim());
     await engine.close();`,
  );
  children.push(child);
  expect((await readAll(child)).trim().split('\n')).toEqual([
    'memory',
    'Volumes are in memory while they are attached, and saved at the end. Reason: the server is not root.',
    'kept',
  ]);
});

describe.runIf(isRoot)('a volume on a disk', () => {
  it('is unmounted after its server was killed, and keeps what was written', async () => {
    const child = startServer(
      { stateDirectory: state, launcher: 'bubblewrap' },
      `const volumeId = 'd'.repeat(24);
       await engine.reconcile();
       await engine.volumes.create(volumeId, { sizeMib: 16 });
       const volumes = [{ volumeId, guestPath: '/data', readOnly: false }];
       const sandbox = await engine.start({ ...spec, volumes });
       await run(sandbox, 'sh', '-c', 'echo kept >/data/file; head -c 4000000 /dev/urandom >/data/more');
       console.log('up');`,
    );
    children.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    const { attached, volumes } = createRuntimeDirectory(state);
    const mounted = (): string[] => readMountPoints().filter((path) => path.startsWith(attached));
    expect(mounted()).toHaveLength(1);
    writeFileSync(join(volumes, `${newId()}.5.ext4.partial`), '');
    const engine = openEngine();
    await engine.reconcile();
    expect(mounted()).toEqual([]);
    expect(readdirSync(attached)).toEqual([]);
    expect(readdirSync(volumes)).toHaveLength(1);
    expect(boundImages()).not.toContainEqual(expect.stringContaining(state));
    const sandbox = await start(engine, 'd'.repeat(24));
    expect((await runShell(sandbox, 'cat /data/file; wc -c </data/more')).stdout).toBe(
      'kept\n4000000\n',
    );
    await sandbox.stop();
    expect(boundImages()).not.toContainEqual(expect.stringContaining(state));
  });

  it('is open to the user of its sandbox alone, and to no device or set-user-id file', async () => {
    const engine = openEngine();
    const id = newId();
    await engine.volumes?.create(id, { sizeMib: 16 });
    const sandbox = await start(engine, id);
    await runShell(sandbox, 'cp /bin/true /data/tool; chmod 6755 /data/tool; chmod 777 /data');
    const { attached, volumes } = createRuntimeDirectory(state);
    const door = statSync(join(attached, id));
    expect(door.mode & 0o777).toBe(0o750);
    expect(door.uid).toBe(0);
    expect(door.gid).toBe(statSync(join(attached, id, 'disk', 'tool')).uid);
    expect(door.gid).toBeGreaterThanOrEqual(0x7000_8000);
    const mount = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((line) => line.includes(join(attached, id)));
    expect(mount).toMatch(/nosuid/);
    expect(mount).toMatch(/nodev/);
    const inside = await runShell(
      sandbox,
      'grep " /data " /proc/self/mountinfo; ls /dev | grep loop',
    );
    expect(inside.stdout).toMatch(/nosuid,nodev/);
    expect(inside.stdout).not.toContain(id);
    expect(inside.stdout.split('\n')).toHaveLength(2);
    const [image = ''] = readdirSync(volumes);
    expect(statSync(join(volumes, image)).mode & 0o777).toBe(0o600);
    await sandbox.stop();
    await engine.volumes?.remove(id);
    expect(existsSync(join(volumes, image))).toBe(false);
  });
});

function boundImages(): string[] {
  return readdirSync('/sys/block').flatMap((name) => {
    try {
      return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim();
    } catch {
      return [];
    }
  });
}
