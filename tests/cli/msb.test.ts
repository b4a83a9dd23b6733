import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../packages/cli/src/program.ts';
import type { Terminal } from '../../packages/cli/src/terminal.ts';
import { msbPath, runMsb } from '../support/server-process.ts';

let folder: string;
let home: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandgate-msb-'));
  home = join(folder, 'home');
});
afterEach(async () => {
  if (existsSync(join(home, 'server.pid'))) await msb('server', 'stop');
  await rm(folder, { recursive: true });
});

const msb = (...args: readonly string[]) => runMsb(args, { home, folder });

const keyCommands = [
  'list',
  'show',
  'stats',
  'create',
  'child',
  'update',
  'rotate',
  'revoke',
  'disable',
  'enable',
];

const rootCommands = [
  'server',
  'keys',
  'users',
  'usage',
  'audit',
  'sandboxes',
  'shell',
  'cp',
  'egress',
  'snapshots',
  'volumes',
  'templates',
  'images',
  'registries',
  'run',
  'exec',
  'mcp',
  'doctor',
  'version',
];

const sandboxCommands = [
  'create',
  'list',
  'show',
  'exec',
  'logs',
  'metrics',
  'wait',
  'stop',
  'start',
  'pause',
  'resume',
  'delete',
  'extend',
  'update',
];

const keyText = /msb_[0-9a-f]{48}/;

describe('msb', () => {
  it('prints its version', async () => {
    for (const args of [['-V'], ['--version'], ['version']]) {
      const { exitCode, stdout, stderr } = await msb(...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    }
  });

  it.each([
    ['', rootCommands],
    ['server', ['start', 'stop', 'status', 'list', 'log', 'remove', 'keygen', 'keys']],
    ['keys', keyCommands],
    ['server keys', keyCommands],
    ['sandboxes', sandboxCommands],
    ['snapshots', ['create', 'list', 'schedule', 'delete']],
    ['volumes', ['create', 'list', 'delete']],
    ['images', ['list', 'add', 'pull', 'remove']],
    ['registries', ['list', 'add', 'password', 'test', 'remove']],
    ['users', ['create', 'list', 'password', 'disable', 'enable', 'logout']],
    ['audit', ['list', 'verify']],
  ])('explains msb %s', async (command, expected) => {
    const { exitCode, stdout } = await msb(...command.split(' ').filter(Boolean), '--help');
    expect(exitCode).toBe(0);
    const named = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(named.filter((name) => name !== 'help')).toEqual(expected);
  });

  it.each([
    'run',
    'exec',
    'cp',
    'sandboxes create',
    'sandboxes list',
    'sandboxes show',
    'sandboxes exec',
    'sandboxes stop',
    'sandboxes extend',
    'sandboxes update',
    'sandboxes logs',
    'sandboxes metrics',
    'sandboxes wait',
    'egress show',
    'egress allow',
    'shell',
    'templates',
    'snapshots create',
    'snapshots list',
    'snapshots schedule',
    'snapshots delete',
    'volumes create',
    'volumes list',
    'volumes delete',
    'doctor',
    'keys list',
    'keys show',
    'keys create',
    'keys child',
    'keys update',
    'usage',
    'audit list',
    'audit verify',
    'keys revoke',
    'keys rotate',
    'keys disable',
    'keys enable',
    'server start',
    'server stop',
    'server status',
    'server list',
    'server log',
    'server keygen',
  ])('gives examples for msb %s', async (command) => {
    let help = '';
    const terminal: Terminal = {
      environment: {},
      currentFolder: folder,
      readSecret: async () => '',
      print: () => {},
      note: () => {},
      writeNote: () => {},
      write: (data) => {
        help += data;
      },
    };
    expect(await runProgram([...command.split(' '), '--help'], terminal)).toBe(0);
    expect(help).toMatch(/Examples:\n {2}msb /);
  });

  it.each([
    [[]],
    [['server']],
    [['keys']],
    [['fly']],
    [['server', 'fly']],
    [['server', 'start', '--fly']],
    [['server', 'status', 'extra']],
    [['keys', 'show']],
    [['run']],
    [['run', 'box', 'x', '--language', 'cobol']],
    [['run', 'box', 'x', '--timeout', '0']],
    [['server', 'log', '--tail', 'many']],
    [['server', 'keygen', '--expire']],
    [['server', 'keygen', '--expire', '-1h']],
  ])('takes %j for wrong usage: exit code 2, and nothing on standard output', async (args) => {
    const { exitCode, stdout, stderr } = await msb(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^(Error: |Usage: )/);
  });

  it('shows the valid durations to whoever gives another', async () => {
    const { stderr } = await msb('server', 'keygen', '--expire', '1H');
    expect(stderr).toContain('30s, 15m, 24h, 7d, 2w, 3mo, 1y');
  });

  it('says in one line what failed, without a stack', async () => {
    const { exitCode, stdout, stderr } = await msb('keys', 'show', '4711');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^Error: [^\n]+\n$/);
  });

  it('makes no state directory out of a mistyped path, but for a first key', async () => {
    expect((await msb('keys', 'list')).stderr).toMatch(/^Error: There is no state directory/);
    expect(existsSync(home)).toBe(false);
    expect((await msb('server', 'keygen')).exitCode).toBe(0);
    expect((await msb('keys', 'list')).exitCode).toBe(0);
  });

  it('names every mistake in the configuration', async () => {
    await mkdir(home);
    await writeFile(join(home, 'config.json'), '{"port":-1,"colour":"red"}');
    const { exitCode, stderr } = await msb('server', 'start');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('port: must be');
    expect(stderr).toContain('colour: there is no such key');
  });
});

describe('msb without a server', () => {
  it.each([[['server', 'status']], [['server', 'stop']]])('ends %j with 3', async (args) => {
    expect((await msb(...args)).exitCode).toBe(3);
  });

  it('says so in JSON', async () => {
    const { exitCode, stdout } = await msb('server', 'status', '--json');
    expect({ exitCode, status: JSON.parse(stdout) }).toEqual({
      exitCode: 3,
      status: { running: false, home },
    });
  });

  it('ends a call of one with 3', async () => {
    const port = await unusedPort();
    const { exitCode, stderr } = await runMsb(['run', 'box', '1'], {
      home,
      folder,
      environment: { MSB_SERVER_URL: `http://127.0.0.1:${port}` },
    });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('msb server start');
  });

  it('makes, lists, rotates and revokes keys, and shows a text only where it is made', async () => {
    const made = await msb('server', 'keygen', '--namespace', 'team-alpha', '--name', 'ci');
    expect(made.stdout).toMatch(
      /^Token: msb_[0-9a-f]{48}\nToken expires: never\nNamespace: team-alpha\n$/,
    );
    expect((await msb('server', 'keygen', '--json')).stdout).toMatch(/"token":"msb_/);
    const [key] = JSON.parse((await msb('keys', 'list', '--json')).stdout);
    expect(key).toMatchObject({ namespace: 'team-alpha', name: 'ci', state: 'active' });
    expect(key.expiresAt).toBeNull();
    const reference = String(key.number);
    expect((await msb('keys', 'disable', reference)).stdout).toContain('is disabled.');
    expect((await msb('server', 'keys', 'show', key.id)).stdout).toMatch(/State: +disabled/);
    expect((await msb('keys', 'enable', reference)).exitCode).toBe(0);
    expect((await msb('keys', 'rotate', reference, '--overlap', '1h')).stdout).toMatch(keyText);
    expect((await msb('keys', 'revoke', reference)).stdout).toContain('is revoked.');
    const all = await msb('keys', 'list', '--all');
    expect(all.stdout).toContain('revoked');
    expect(all.stdout).not.toMatch(keyText);
  });
});

async function unusedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('msb server start --detach', () => {
  const start = (...args: readonly string[]) =>
    msb('server', 'start', '--detach', '--port', '0', ...args);

  it('returns when the port answers, with the first key on the terminal alone', async () => {
    const { exitCode, stdout } = await start();
    expect(exitCode).toBe(0);
    const key = keyText.exec(stdout)?.[0] ?? '';
    expect(key).not.toBe('');
    const status = JSON.parse((await msb('server', 'status', '--json')).stdout);
    expect(status).toMatchObject({ running: true, authentication: 'required', keys: 1 });
    expect(stdout).toContain(status.address);
    const logPath = join(home, 'logs', 'server.log');
    expect((await stat(logPath)).mode & 0o777).toBe(0o600);
    expect(await readFile(logPath, 'utf8')).not.toContain(key);
    const argumentsOfServer = await readFile(`/proc/${status.pid}/cmdline`, 'utf8');
    expect(argumentsOfServer).not.toContain(key);

    const again = await msb('server', 'start');
    expect(again).toMatchObject({ exitCode: 0, stderr: '' });
    expect(again.stdout).toContain(`already running on ${status.address}`);
    expect(await msb('server', 'remove', 'box', '-n', 'no-such')).toMatchObject({
      exitCode: 1,
      stderr: "Error: Namespace 'no-such' not found\n",
    });
    const reset = await msb('server', 'start', '--reset-key');
    expect(reset.stdout).toContain('1 API key is invalid now');

    expect((await msb('server', 'log', '--tail', '1')).stdout).toMatch(/^\{.*\}\n$/);
    expect(await msb('server', 'stop')).toMatchObject({ exitCode: 0 });
    // Empty in a process that has ended and that its parent has not looked after yet.
    const leftOver = await readFile(`/proc/${status.pid}/cmdline`, 'utf8').catch(() => '');
    expect(leftOver).toBe('');
    const third = await start();
    expect(third.stdout).not.toMatch(/First operator key/);
  });

  it('is found and stopped without its pid file, and names its address to another start', async () => {
    await start();
    const { pid, address } = JSON.parse((await msb('server', 'status', '--json')).stdout);
    await rm(join(home, 'server.pid'));
    expect(JSON.parse((await msb('server', 'status', '--json')).stdout)).toMatchObject({ pid });
    expect((await msb('server', 'start')).stdout).toContain(`already running on ${address}`);
    expect(await msb('server', 'stop')).toMatchObject({ exitCode: 0 });
    expect((await msb('server', 'status')).exitCode).toBe(3);
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
  });

  it('starts one server when several are started at once, and the others say so', async () => {
    const outcomes = await Promise.all([start(), start()]);
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const printed = outcomes.map(({ stdout }) => stdout);
    expect(printed.filter((text) => text.includes('is listening on'))).toHaveLength(1);
    expect(printed.filter((text) => text.includes('already running'))).toHaveLength(1);
  });

  it('fails with the reason when the port is taken, and leaves no server behind', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const { exitCode, stdout, stderr } = await start('--port', String(port));
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(/^Error: /m);
      expect(stderr).toContain(String(port));
      expect((await msb('server', 'status')).exitCode).toBe(3);
    } finally {
      other.close();
    }
  });

  it('keeps a key given as --key out of the arguments, and warns of it', async () => {
    const key = 'a server key that nobody else should read';
    const { exitCode, stderr } = await start('--key', key);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('ps');
    expect(stderr).not.toContain(key);
    expect(await readFile(join(home, 'server.key'), 'utf8')).toBe(`${key}\n`);
    const { pid } = JSON.parse((await msb('server', 'status', '--json')).stdout);
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(key);
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toContain(key);
  });
});

describe('msb server start in the foreground', () => {
  it('drains at Ctrl-C, once, when the signal comes more than once', async () => {
    const child = spawn(
      process.execPath,
      [msbPath, 'server', 'start', '--port', '0', '--key', 'k'.repeat(20)],
      { env: { PATH: process.env.PATH, SANDGATE_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let notes = '';
    const started = new Promise<void>((resolve) => {
      child.stderr.on('data', (data: Buffer) => {
        notes += data.toString();
        if (notes.includes('Press Ctrl-C')) resolve();
      });
    });
    const exited = once(child, 'close');
    await Promise.race([started, exited]);
    expect(await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).not.toContain('kkkk');
    child.kill('SIGINT');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(notes.match(/Stopping: calls in progress/g)).toHaveLength(1);
    expect(notes).toContain('Stopped.');
    expect((await msb('server', 'status')).exitCode).toBe(3);
  });
});
