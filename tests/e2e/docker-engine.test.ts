import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../packages/server/src/engines/contract/contract-suite.ts';
import { createDockerEngine } from '../../packages/server/src/engines/docker/docker-engine.ts';
import { describeEngine } from '../../packages/server/src/engines/engine-contract.ts';
import { createReferenceReader } from '../../packages/server/src/registry/allowed-reference.ts';
import { buildImage, smallRoot } from '../support/docker/build-image.ts';
import { startDocker, type TestDocker } from '../support/docker/start-docker.ts';
import { startDockerRegistry, testUser } from '../support/registry/docker-registry.ts';
import { startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const guestDirectory = fileURLToPath(new URL('../../packages/server/guest', import.meta.url));

let docker: TestDocker;

describe('over a real daemon', () => {
  beforeAll(async () => {
    docker = await startDocker({ runtimes: { runsc: gvisorProgram() } });
    buildImage(docker, 'sandgate/contract:1');
  }, 120_000);
  afterAll(() => docker.stop());

  const createEngine = (runtime: string) =>
    createDockerEngine({
      instance: 'contract',
      socketPath: docker.socketPath,
      runtime,
      templates: ['microsandbox/node', 'microsandbox/python'].map((name) => ({
        name,
        image: 'sandgate/contract:1',
        description: null,
      })),
      guestDirectory,
    });

  const offline = [
    'the engine says what the network tests show',
    'an open policy lets programs reach a server, by name and by tunnel, and bytes are counted',
    'a restricted policy reaches what it names, asks for no other name, and refusals are told',
    'no policy reaches what is not public, by number, behind a name or in other clothes',
    'a switch holds at once, and cuts what it does not allow',
    'a port of the sandbox can be reached, many times at once and with half-closed connections',
    'connections of both directions end with the sandbox',
  ].map((test) => ({ test, reason: 'Containers have no network and no ports.' }));

  describeEngine('docker', () => createEngine('runc'), [
    {
      test: 'the disk is bounded wherever one can write',
      reason:
        "Docker's overlay driver bounds a container's layer on XFS with project quotas alone.",
    },
    {
      test: 'a write that fails leaves what was there, and nothing else',
      reason: 'The same: an endless write does not find the disk full.',
    },
    {
      test: 'files of the system that the sandbox may change are there again too',
      reason: 'Docker makes /etc/hosts, /etc/hostname and /etc/resolv.conf itself, as root.',
    },
    ...offline,
  ]);

  it('runs Python behind gVisor', async () => {
    const engine = createEngine('runsc');
    try {
      const sandbox = await engine.start(sandboxSpec('1'));
      const { stdout } = await runProgram(sandbox, ['uname', '-r']);
      expect(stdout).not.toBe(release());
      let text = '';
      const onOutput = ({ data }: { readonly data: Buffer }): void => {
        text += data.toString();
      };
      await sandbox.kernel('python').run({ code: '6 * 7', onOutput });
      expect(text).toBe('42\n');
      await sandbox.stop();
    } finally {
      await engine.removeLayer(sandboxSpec('1').id);
      await engine.close();
    }
  });

  it('takes gVisor by itself only where every interpreter of the images runs in it', async () => {
    const engine = createEngine('auto');
    try {
      const { templates } = await engine.probe();
      expect(templates.map(({ languages }) => languages)).toEqual([
        ['python', 'node'],
        ['python', 'node'],
      ]);
    } finally {
      await engine.close();
    }
  });

  it('pulls from a registry with its password, starts what came, and lets it go', async () => {
    const folder = temporaryFolder();
    const registry = await startDockerRegistry(folder, 'htpasswd', docker.pid);
    const engine = createDockerEngine({
      instance: 'pulling',
      socketPath: docker.socketPath,
      runtime: 'runc',
      templates: [],
      pulls: {
        readReference: createReferenceReader({
          allowedPrivateHosts: ['127.0.0.1'],
          resolve: async () => [],
        }),
        maxBytes: 1e9,
      },
      guestDirectory,
    });
    try {
      const reference = `${registry.host}/team/app:1`;
      const archive = join(folder, 'root.tar');
      writeFileSync(archive, smallRoot('cat', 'mkfifo', 'sleep', 'printf', 'id'));
      docker.docker(
        'import',
        '--change',
        'ENV FROM_IMAGE=yes PATH=/usr/bin:/bin',
        archive,
        reference,
      );
      pushByDocker(folder, reference);
      docker.docker('rmi', reference);
      const { images } = engine;
      const pull = (credentials: typeof testUser | null, wanted = reference) =>
        images?.pull({
          reference: wanted,
          credentials,
          allowHttp: true,
          onProgress: ({ phase }) => phases.add(phase),
        });
      const phases = new Set<string>();
      await expect(pull(null)).rejects.toMatchObject({ code: 'registry_unauthorized' });
      await expect(pull({ ...testUser, password: 'no' })).rejects.toMatchObject({
        code: 'registry_unauthorized',
      });
      await expect(pull(testUser, `${registry.host}/team/app:2`)).rejects.toMatchObject({
        code: 'image_not_found',
      });
      await expect(pull(null, 'http.example/a')).rejects.toMatchObject({
        code: 'registry_not_allowed',
      });
      const pulled = await pull(testUser);
      expect(pulled).toMatchObject({
        image: expect.stringMatching(/\/team\/app@sha256:[0-9a-f]{64}$/),
        config: { env: { FROM_IMAGE: 'yes', PATH: '/usr/bin:/bin' }, workdir: null },
      });
      expect([...phases]).toEqual(expect.arrayContaining(['resolving', 'downloading', 'ready']));
      expect(await images?.list()).toEqual([pulled]);
      const pulledImage = pulled?.image ?? '';
      const sandbox = await engine.start({ ...sandboxSpec('2'), image: 'app', pulledImage });
      const { stdout } = await runProgram(sandbox, ['sh', '-c', 'echo $FROM_IMAGE; id -u']);
      expect(stdout).toBe('yes\n1000\n');
      await sandbox.stop();
      await images?.removeOthers(new Set([pulledImage]));
      expect(await images?.find(pulledImage)).toEqual(pulled);
      await engine.removeLayer(sandbox.id);
      await images?.removeOthers(new Set());
      expect(await images?.list()).toEqual([]);
      await expect(engine.start({ ...sandboxSpec('3'), pulledImage })).rejects.toMatchObject({
        code: 'image_unknown',
      });
    } finally {
      await engine.close();
      await registry.stop();
    }
  });

  it('serves a sandbox from a container, and finds it again after it was killed', async () => {
    const home = temporaryFolder();
    const config = {
      engine: {
        docker: {
          socketPath: docker.socketPath,
          templates: { boxed: { image: 'sandgate/contract:1' } },
        },
      },
    };
    writeFileSync(join(home, 'config.json'), JSON.stringify(config));
    const first = await startServerProcess({ home });
    const key = first.firstKey;
    const start = { sandbox: 'box', namespace: 'default', config: { image: 'boxed' } };
    expect((await first.rpc('sandbox.start', start, key)).status).toBe(200);
    const run = { sandbox: 'box', namespace: 'default', language: 'python', code: 'print(6 * 7)' };
    const { body } = await first.rpc('sandbox.repl.run', run, key);
    expect(JSON.stringify(body)).toContain('42');
    const exec = (command: string, ...args: readonly string[]) => ({
      sandbox: 'box',
      namespace: 'default',
      command,
      args,
    });
    await first.rpc('sandbox.command.run', exec('sh', '-c', 'echo kept >note'), key);
    const host = { sandbox: 'own', namespace: 'default', config: { image: 'node' } };
    expect((await first.rpc('sandbox.start', host, key)).status).toBe(200);
    expect(running()).toHaveLength(1);
    await first.kill();
    // Nothing runs without its server.
    await expect.poll(running, { timeout: 20_000 }).toEqual([]);
    const second = await startServerProcess({ home });
    try {
      await second.rpc('sandbox.start', start, key);
      const read = await second.rpc('sandbox.command.run', exec('cat', 'note'), key);
      expect(JSON.stringify(read.body)).toContain('kept');
    } finally {
      await second.stop();
    }
    expect(running()).toEqual([]);
  });
});

/** The password is in a file, as Docker's own client has it. */
function pushByDocker(folder: string, reference: string): void {
  const [host = ''] = reference.split('/');
  const auth = Buffer.from(`${testUser.username}:${testUser.password}`).toString('base64');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  docker.docker('--config', folder, 'push', '--quiet', reference);
}

/** gVisor on ptrace: the one of its platforms that needs nothing of the machine. */
function gvisorProgram(): string {
  const path = join(temporaryFolder(), 'runsc');
  writeFileSync(path, '#!/bin/sh\nexec runsc --platform=ptrace --network=none "$@"\n', {
    mode: 0o755,
  });
  return path;
}

const sandboxSpec = (digit: string) => ({
  id: digit.repeat(24),
  hostname: 'walled',
  image: 'python',
  resources: { memoryMib: 512, cpus: 1, diskMib: 64, maxProcesses: 100 },
  environment: {},
  workdir: '/workspace',
  mounts: [],
  scripts: {},
});

/** Names of the containers that run. */
const running = (): readonly string[] =>
  docker
    .docker('ps', '--format', '{{.Names}}')
    .split('\n')
    .filter((name) => name !== '');
