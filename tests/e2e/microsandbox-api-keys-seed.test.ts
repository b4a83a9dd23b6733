import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  callRpc,
  msbPath,
  runMsb,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess({ home });
});
afterAll(async () => {
  await server.stop();
});

const keygen = async (...options: readonly string[]) => {
  const { exitCode, stdout, stderr } = await runMsb(['server', 'keygen', ...options], { home });
  expect([exitCode, stderr]).toEqual([0, '']);
  const form = /^Token: (msb_[0-9a-f]{48})\nToken expires: (.+)\nNamespace: (.+)\n$/;
  const [, token = '', expires = '', namespace = ''] = form.exec(stdout) ?? [];
  expect(token).not.toBe('');
  return { token, expires, namespace };
};

/** The documented curl command, with this server's address and a key in place. */
const documentedCurl = (key: string, namespace: string) =>
  JSON.parse(
    execFileSync(
      'curl',
      [
        ...['-s', '-X', 'POST', `${server.address}/api/v1/rpc`],
        ...['-H', 'Content-Type: application/json'],
        ...['-H', '@-'],
        '-d',
        JSON.stringify({
          jsonrpc: '2.0',
          method: 'sandbox.start',
          params: { sandbox: 'my-env', namespace },
          id: '1',
        }),
      ],
      // By standard input: a key in the arguments would show in the process list.
      { input: `Authorization: Bearer ${key}\n`, encoding: 'utf8' },
    ),
  );

const withinAMinuteOf = (text: string, expectedMs: number) =>
  expect(Math.abs(Date.parse(text) - expectedMs)).toBeLessThan(60_000);

describe('Generating API keys', () => {
  it('Basic: never expires, works in all namespaces, for every operation', async () => {
    const { token, expires, namespace } = await keygen();
    expect([expires, namespace]).toEqual(['never', '*']);
    for (const name of ['default', 'team-alpha', 'another']) {
      expect(documentedCurl(token, name).result).toBe('Sandbox my-env started successfully');
    }
    const run = await callRpc(
      server.address,
      'sandbox.repl.run',
      { sandbox: 'my-env', namespace: 'another', language: 'python', code: 'print(6 * 7)' },
      token,
    );
    expect(run.body.result.output).toEqual([{ stream: 'stdout', text: '42' }]);
    const stop = { sandbox: 'my-env', namespace: 'another' };
    expect((await callRpc(server.address, 'sandbox.stop', stop, token)).body.result).toBe(
      'Sandbox my-env stopped successfully',
    );
  });

  it.each([
    ['3mo', 90 * 86_400],
    ['30s', 30],
    ['15m', 900],
    ['24h', 86_400],
    ['7d', 7 * 86_400],
    ['2w', 14 * 86_400],
    ['1y', 365 * 86_400],
    ['1h', 3_600],
    ['6mo', 180 * 86_400],
    ['24', 86_400],
  ])('With expiration: --expire %s', async (duration, seconds) => {
    const { token, expires } = await keygen('--expire', duration);
    withinAMinuteOf(expires, Date.now() + seconds * 1_000);
    expect(documentedCurl(token, 'default').result).toContain('started successfully');
  });

  it.each(['1H', '1h30m', '1.5h', 'soon', '', '3 mo', '0s'])(
    'With expiration: --expire %j is refused with the valid forms',
    async (duration) => {
      const { exitCode, stdout, stderr } = await runMsb(
        ['server', 'keygen', '--expire', duration],
        { home },
      );
      expect([exitCode, stdout]).toEqual([expect.toSatisfy((code) => [1, 2].includes(code)), '']);
      for (const form of ['30s', '15m', '24h', '7d', '2w', '3mo', '1y']) {
        expect(stderr).toContain(form);
      }
    },
  );

  it('Namespace-specific: --namespace team-alpha opens team-alpha alone', async () => {
    const { token, namespace } = await keygen('--namespace', 'team-alpha');
    expect(namespace).toBe('team-alpha');
    expect(documentedCurl(token, 'team-alpha').result).toContain('started successfully');
    expect(documentedCurl(token, 'default')).toEqual({ error: 'Access denied', code: 3001 });
  });

  it('Combined: --expire 1w --namespace project-web', async () => {
    const { token, expires, namespace } = await keygen(
      ...['--expire', '1w', '--namespace', 'project-web'],
    );
    withinAMinuteOf(expires, Date.now() + 7 * 86_400_000);
    expect(namespace).toBe('project-web');
    expect(documentedCurl(token, 'project-web').result).toContain('started successfully');
  });
});

describe('Using API keys', () => {
  it('from the environment: export MSB_API_KEY', async () => {
    const { token } = await keygen();
    await callRpc(server.address, 'sandbox.start', { sandbox: 'by-env' }, token);
    const { stdout, exitCode } = await runMsb(['run', 'by-env', 'print("by environment")'], {
      home,
      folder,
      environment: { MSB_API_KEY: token, MSB_SERVER_URL: server.address },
    });
    expect([stdout, exitCode]).toEqual(['by environment\n', 0]);
  });

  it('from a .env file', async () => {
    const { token } = await keygen();
    const project = join(folder, 'project');
    mkdirSync(project);
    appendFileSync(join(project, '.env'), `MSB_API_KEY="${token}"\n`);
    await callRpc(server.address, 'sandbox.start', { sandbox: 'by-file' }, token);
    const { stdout, exitCode } = await runMsb(['exec', 'by-file', '--', 'echo', 'by file'], {
      home,
      folder: project,
      environment: { MSB_SERVER_URL: server.address },
    });
    expect([stdout, exitCode]).toEqual(['by file\n', 0]);
  });

  it('is needed for every operation, and for nothing else', async () => {
    const refused = await callRpc(server.address, 'sandbox.metrics.get', {}, null);
    expect([refused.status, refused.body]).toEqual([
      401,
      { error: 'Invalid credentials', code: 1001 },
    ]);
    const health = await fetch(`${server.address}/api/v1/health`);
    expect(await health.json()).toEqual({ message: 'Service is healthy' });
  });
});

describe('Key management', () => {
  it('Checking server status says whether a key is needed', async () => {
    const { stdout, exitCode } = await runMsb(['server', 'status'], { home });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(server.address);
    expect(stdout).toMatch(/required/i);
    const { stdout: json } = await runMsb(['server', 'status', '--json'], { home });
    expect(JSON.parse(json)).toMatchObject({ address: server.address });
  });

  it('Regenerating keys: previous keys remain valid', async () => {
    const { token: previous } = await keygen();
    const { token: next } = await keygen('--expire', '30d');
    for (const token of [previous, next]) {
      expect(documentedCurl(token, 'default').result).toContain('started successfully');
    }
  });

  it('revoking, disabling and rotating one key holds at once, and leaves the others alone', async () => {
    const { token: other } = await keygen();
    const { token } = await keygen('--namespace', 'managed');
    const list = await runMsb(['keys', 'list', '--json'], { home });
    expect(list.stdout).not.toContain(token);
    const mine = JSON.parse(list.stdout).find(
      ({ display }: { display: string }) => display.slice(-4) === token.slice(-4),
    );
    const answers = () => documentedCurl(token, 'managed');
    expect(answers().result).toContain('started');
    await runMsb(['keys', 'disable', String(mine.number)], { home });
    expect(answers()).toMatchObject({ error: 'API key is inactive' });
    await runMsb(['keys', 'enable', String(mine.number)], { home });
    expect(answers().result).toContain('started');
    const rotated = await runMsb(['keys', 'rotate', String(mine.number)], { home });
    const fresh = /msb_[0-9a-f]{48}/.exec(rotated.stdout)?.[0] ?? '';
    expect(answers()).toMatchObject({ code: 1004 });
    expect(documentedCurl(fresh, 'managed').result).toContain('started');
    await runMsb(['keys', 'revoke', String(mine.number)], { home });
    expect(documentedCurl(fresh, 'managed')).toMatchObject({ code: 1004 });
    expect(documentedCurl(other, 'default').result).toContain('started');
  });

  it('Resetting the server key invalidates all keys, in the running server too', async () => {
    const { token } = await keygen();
    const before = readFileSync(join(home, 'server.key'), 'utf8');
    const reset = await runMsb(['server', 'start', '--reset-key'], { home });
    expect(reset.exitCode).toBe(0);
    expect(reset.stdout + reset.stderr).toMatch(/\d+/);
    expect(documentedCurl(token, 'default')).toEqual({
      error: 'Invalid or expired token',
      code: 1004,
    });
    expect(readFileSync(join(home, 'server.key'), 'utf8')).not.toBe(before);
    expect(statSync(join(home, 'server.key')).mode & 0o777).toBe(0o600);
    const { token: next } = await keygen();
    expect(documentedCurl(next, 'default').result).toContain('started successfully');
  });
});

describe('Development mode', () => {
  it('msb server start --dev needs no key, warns, and listens on loopback alone', async () => {
    const devHome = temporaryFolderNow();
    const open = await startServerProcess({ home: devHome, arguments: ['--dev'] });
    try {
      expect(open.output()).toMatch(/development mode/i);
      const { body } = await open.rpc('sandbox.start', { sandbox: 'my-env' }, null);
      expect(body.result).toBe('Sandbox my-env started successfully');
      const status = await runMsb(['server', 'status'], { home: devHome });
      expect(status.stdout).toMatch(/development/i);
    } finally {
      await open.stop();
    }
    const exposed = await runMsb(['server', 'start', '--dev', '--host', '0.0.0.0'], {
      home: devHome,
    });
    expect(exposed.exitCode).toBe(1);
    expect(exposed.stderr).toMatch(/loopback/);
  });
});

const temporaryFolderNow = () => {
  const path = join(folder, 'dev');
  mkdirSync(path);
  return path;
};

it('is driven by the msb that comes with the package', () => {
  expect(statSync(msbPath).mode & 0o111).not.toBe(0);
});
