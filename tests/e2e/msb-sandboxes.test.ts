import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInProcess } from '../support/run-in-process.ts';
import { msbPath, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');

const folder = temporaryFolder();
let server: ServerProcess;
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = await startServerProcess({ home: join(folder, 'home') });
  environment = { MSB_SERVER_URL: server.address, MSB_API_KEY: server.firstKey };
  expect(await msb('sandboxes', 'create', 'shared')).toMatchObject({ stdout: 'shared\n' });
});

afterAll(async () => {
  await server.stop();
});

const msb = (...args: readonly string[]) => runInProcess(args, folder, { environment });
const exec = (...args: readonly string[]) => msb('sandboxes', 'exec', 'shared', ...args);

it('docs/cli.md has only commands that work, in its order', async () => {
  expect(blocks.length).toBeGreaterThan(4);
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  symlinkSync(msbPath, join(programs, 'msb'));
  const { stdout, stderr } = await promisify(execFile)('/bin/sh', ['-e', '-c', blocks.join('\n')], {
    cwd: folder,
    env: { ...process.env, ...environment, PATH: `${programs}:${process.env.PATH}` },
  });
  expect(stderr).not.toContain('Error');
  for (const told of [
    '42\n',
    'typed\n',
    '21\n',
    'Reaches only pypi.org, *.pythonhosted.org.\n',
    'box is paused.',
    'box is deleted.',
  ]) {
    expect(stdout).toContain(told);
  }
  expect(readFileSync(join(folder, 'copy.txt'), 'utf8')).toBe('some data\n');
});

describe('msb sandboxes', () => {
  it('makes one as it is told, lists it, and shows it', async () => {
    const made = await msb(
      ...['sandboxes', 'create', 'made', '--cpus', '0.5', '--memory', '128', '--json'],
      ...[
        '--label',
        'team=blue',
        '--label',
        'tier=a=b',
        '--env',
        'LEVEL=3',
        '--env',
        'MSB_SERVER_URL',
      ],
      ...['--allow', 'example.com', '--allow', '192.0.2.0/24', '--expire', '2h', '--idle', '30m'],
    );
    expect(JSON.parse(made.stdout)).toMatchObject({
      name: 'made',
      labels: { team: 'blue', tier: 'a=b' },
      env_names: ['LEVEL', 'MSB_SERVER_URL'],
      resources: { cpus: 0.5, memory_mib: 128 },
      egress: { mode: 'restricted', allow: ['example.com', '192.0.2.0/24'] },
      lifetime: { idle_timeout_seconds: 1_800 },
    });
    const listed = await msb('sandboxes', 'list', '--label', 'team=blue', '--label', 'tier=a=b');
    expect(listed.stdout).toMatch(/^NAME +STATE .*\nmade +ready +python .*\n$/);
    const limited = await msb('sandboxes', 'list', '--limit', '1', '--json');
    expect(JSON.parse(limited.stdout).map(({ name }: { name: string }) => name)).toEqual(['made']);
    const shown = await msb('sandboxes', 'show', 'made');
    expect(shown.stdout).toMatch(/^Network: +restricted example\.com 192\.0\.2\.0\/24$/m);
    expect(await msb('sandboxes', 'extend', 'made', 'never')).toMatchObject({
      stdout: 'made has no end.\n',
    });
    const deleted = await msb('sandboxes', 'delete', 'made', 'nobody');
    expect(deleted).toMatchObject({ exitCode: 1, stdout: 'made is deleted.\n' });
    expect(deleted.stderr).toContain("Error: Sandbox 'nobody' not found in namespace 'default'\n");
  });

  it.each([
    [['exec', 'shared', 'no-such-program'], 1, 'There is no program'],
    [['exec', 'shared', '--cwd', '/nowhere', 'ls'], 1, '/nowhere'],
    [['exec', '..', 'ls'], 1, '".." is not a name'],
    [['show', 'shared', '--namespace', 'elsewhere'], 1, 'Workspace not found'],
    [['create', '--template', 'no-such-image'], 1, 'no-such-image'],
    [['create', '--env', 'NOT_SET'], 2, 'no such variable'],
    [['create', '--label', 'team'], 2, 'name=value'],
    [['extend', 'shared', 'soon'], 2, 'soon'],
    [['list', '--server', 'ftp://example.com'], 1, '--server is not an address'],
    [['list', '--server', 'http://127.0.0.1:1'], 3, 'msb server start'],
  ])('says what is wrong with %j', async (args, exitCode, told) => {
    const ended = await msb('sandboxes', ...args);
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    expect(ended.stderr).toContain(told);
  });
});

describe('msb sandboxes logs, metrics, wait and update', () => {
  it('shows a log in parts, by its end, and until its sandbox runs no more', async () => {
    const command = 'for n in 1 2 3; do echo line $n; done; exec sleep 1d';
    await msb('sandboxes', 'create', 'logged', '--command', command);
    const lines = 'line 1\nline 2\nline 3\n';
    const logs = (...args: readonly string[]) => msb('sandboxes', 'logs', 'logged', ...args);
    await expect.poll(async () => (await logs()).stdout).toBe(lines);
    expect((await logs('--tail', '2')).stdout).toBe('line 2\nline 3\n');
    const followed = logs('--follow', '--tail', '1');
    expect((await msb('sandboxes', 'stop', 'logged')).exitCode).toBe(0);
    expect(await followed).toMatchObject({ exitCode: 0, stdout: 'line 3\n' });
    const metrics = await msb('sandboxes', 'metrics', 'logged');
    expect(metrics.stdout).toBe('State: stopped\n');
    await msb('sandboxes', 'delete', 'logged');
  });

  it('says what a sandbox uses, now and over time', async () => {
    const now = await msb('sandboxes', 'metrics', 'shared');
    expect(now.stdout).toMatch(/^State: +ready\nCPU: .* %\nMemory: +[\d.]+ [KM]iB\n/);
    const table = await msb('sandboxes', 'metrics', 'shared', '--last', '5m');
    expect(table.stdout).toMatch(/^TIME +CPU +MEMORY .*\n\d{4}-/);
  });

  it('waits for a state, and says why it will not come', async () => {
    const created = await msb('sandboxes', 'create', 'awaited', '--json');
    const waiting = msb('sandboxes', 'wait', 'awaited', '--state', 'paused,stopped');
    await msb('sandboxes', 'stop', 'awaited');
    expect(await waiting).toMatchObject({ exitCode: 0, stdout: 'awaited is stopped.\n' });
    const late = await msb('sandboxes', 'wait', 'awaited', '--timeout', '1s');
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toContain('Error: awaited is stopped after 1s, and not ready.\n');
    // By its id it is found whichever of the two calls comes first.
    const never = msb('sandboxes', 'wait', JSON.parse(created.stdout).id);
    await msb('sandboxes', 'delete', 'awaited');
    const { exitCode, stderr } = await never;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Error: awaited is destroyed (user), and not ready.\n');
  });

  it('changes labels one by one, name and idle timeout', async () => {
    await msb('sandboxes', 'create', 'changed', '--label', 'a=1', '--label', 'b=2');
    const options = ['--label', 'c=3', '--unlabel', 'a', '--name', 'renamed', '--idle', '30m'];
    const { stdout } = await msb('sandboxes', 'update', 'changed', ...options, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'renamed',
      labels: { b: '2', c: '3' },
      lifetime: { idle_timeout_seconds: 1_800 },
    });
    expect(await msb('sandboxes', 'update', 'renamed')).toMatchObject({ exitCode: 2 });
    await msb('sandboxes', 'delete', 'renamed');
  });
});

it('msb egress switches what a sandbox may reach, also of one that is stopped', async () => {
  await msb('sandboxes', 'create', 'online', '--egress', 'open');
  const egress = async (...args: readonly string[]) => (await msb('egress', ...args)).stdout;
  expect(await egress('show', 'online')).toBe('Reaches the public Internet.\n');
  expect(await egress('allow', 'online', '192.0.2.7')).toBe('Reaches only 192.0.2.7.\n');
  const request = 'import urllib.request as u; u.urlopen("http://10.0.0.1:8080/")';
  expect(await msb('sandboxes', 'exec', 'online', 'python3', '-c', request)).toMatchObject({
    exitCode: 1,
  });
  expect(await egress('show', 'online')).toMatch(/\nREFUSED .*\n\S+ +10\.0\.0\.1 +8080 +/);
  await msb('sandboxes', 'stop', 'online');
  expect(await egress('deny', 'online')).toBe('Reaches nothing from its next start on.\n');
  await msb('sandboxes', 'delete', 'online');
});

describe('msb snapshots, volumes and templates', () => {
  it('keeps files for new sandboxes, and makes snapshots by themselves', async () => {
    await exec('sh', '-c', 'echo kept > note');
    const made = await msb('snapshots', 'create', 'shared', '--name', 'one', '--json');
    const { id, state } = JSON.parse(made.stdout);
    expect(state).toBe('ready');
    await msb('sandboxes', 'create', 'copy', '--snapshot', id);
    expect((await msb('sandboxes', 'exec', 'copy', 'cat', 'note')).stdout).toBe('kept\n');
    const listed = await msb('snapshots', 'list', '--sandbox', 'shared');
    expect(listed.stdout).toMatch(
      new RegExp(`^ID .*\n${id} +one +ready +\\S+ [KM]?i?B +python .* never +`),
    );
    const schedule = (...args: readonly string[]) => msb('snapshots', 'schedule', 'copy', ...args);
    expect((await schedule()).stdout).toBe('No snapshots are made by themselves.\n');
    const cron = await schedule('--cron', '0 3 * * *', '--keep', '2');
    expect(cron.stdout).toMatch(
      /^A snapshot at 0 3 \* \* \*, next at .*T03:00:00Z\. The newest 2 /,
    );
    expect((await schedule('--keep', '2')).exitCode).toBe(2);
    expect((await schedule('--off')).stdout).toBe('No snapshots are made by themselves.\n');
    await msb('sandboxes', 'delete', 'copy');
    expect((await msb('snapshots', 'delete', id)).stdout).toBe(`${id} is deleted.\n`);
    expect((await msb('snapshots', 'list', '--prefix', 'one')).stdout).toBe('No snapshots found\n');
  });

  it('makes volumes that outlive sandboxes', async () => {
    expect((await msb('volumes', 'create', 'disk', '--size', '16')).stdout).toBe('disk\n');
    await msb('sandboxes', 'create', 'owner', '--volume', 'disk:/data:ro');
    expect((await msb('volumes', 'list', '--free')).stdout).toBe('No volumes found\n');
    const listed = await msb('volumes', 'list', '--attached');
    expect(listed.stdout).toMatch(/^NAME .*\ndisk +16 MiB +ready +[0-9a-f]{24} +\/data /);
    const refused = await msb('volumes', 'delete', 'disk');
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    await msb('sandboxes', 'delete', 'owner');
    expect((await msb('volumes', 'delete', 'disk')).stdout).toBe('disk is deleted.\n');
  });

  it('shows what sandboxes can be made of', async () => {
    const { stdout } = await msb('templates');
    expect(stdout).toMatch(/^NAME +ENGINE .*\n/);
    expect(stdout).toMatch(/^python .* yes /m);
    expect(stdout).toMatch(/^At most: +[\d.]+ CPUs, /m);
  });
});

describe('msb shell', () => {
  it('is a terminal, and ends with the exit code of its shell', async () => {
    const line = `${process.execPath} ${msbPath} shell shared`;
    const child = spawn('script', ['-qefc', line, '/dev/null'], {
      env: { ...process.env, ...environment, TERM: 'xterm' },
    });
    const ended = once(child, 'exit');
    let shown = '';
    child.stdout.on('data', (data) => {
      shown += data;
    });
    const shows = (text: RegExp) => expect.poll(() => shown, { timeout: 20_000 }).toMatch(text);
    await shows(/\$ $/);
    child.stdin.write('echo "$((6 * 7)) $TERM"; test -t 0 && echo typed\r');
    await shows(/42 xterm\s+typed\s/);
    child.stdin.write('exit 5\r');
    expect((await ended)[0]).toBe(5);
  });

  it('wants a terminal of the user, too', async () => {
    const { exitCode, stderr } = await msb('shell', 'shared');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('msb sandboxes exec')]);
  });
});

describe('msb sandboxes exec', () => {
  it('passes on both streams byte for byte, and the exit code', async () => {
    expect(await exec('sh', '-c', 'echo out; echo wrong >&2; exit 7')).toEqual({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'wrong\n',
    });
    const late = await exec('--env', 'A=1', '--timeout', '60', 'sh', '-c', 'echo $A; kill -9 $$');
    expect(late).toMatchObject({ exitCode: 137, stdout: '1\n' });
  });

  it('says that the time was over, after what was written until then', async () => {
    expect(await exec('--timeout', '2', 'sh', '-c', 'echo begun; sleep 600')).toEqual({
      exitCode: 1,
      stdout: 'begun\n',
      stderr: 'Error: The command was killed after 2 s.\n',
    });
  });

  it('shows output as it comes, and ends its command with Ctrl-C', async () => {
    const args = ['sandboxes', 'exec', 'shared', 'sh', '-c', 'echo begun; exec sleep 987655'];
    const child = spawn(process.execPath, [msbPath, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [first] = await once(child.stdout, 'data');
    expect(String(first)).toBe('begun\n');
    child.kill('SIGINT');
    await ended;
    const still = 'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " < $f; echo; done';
    await expect
      .poll(async () => (await exec('sh', '-c', still)).stdout, { timeout: 20_000 })
      .not.toContain('sleep 987655');
  });
});

describe('msb cp', () => {
  it('copies a file in and out as it is, with its permissions', async () => {
    const content = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256));
    writeFileSync(join(folder, 'tool.bin'), content, { mode: 0o755 });
    expect(await msb('cp', 'tool.bin', 'shared:bin/')).toMatchObject({ exitCode: 0 });
    expect((await exec('stat', '-c', '%a %s', '/workspace/bin/tool.bin')).stdout).toBe(
      '755 70000\n',
    );
    const out = join(folder, 'out');
    mkdirSync(out);
    expect(await msb('cp', 'shared:/workspace/bin/tool.bin', 'out')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(out, 'tool.bin')).equals(content)).toBe(true);
    expect(statSync(join(out, 'tool.bin')).mode & 0o111).not.toBe(0);
  });

  it('copies a directory in and out, and leaves out what leads elsewhere', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'empty'), { recursive: true });
    mkdirSync(join(tree, 'deep', 'er'), { recursive: true });
    writeFileSync(join(tree, 'top.txt'), 'top');
    writeFileSync(join(tree, 'deep', 'er', 'ünder the tree'), 'under');
    symlinkSync('/etc/passwd', join(tree, 'link'));
    const sent = await msb('cp', 'tree', 'shared:/tmp/');
    expect([sent.exitCode, sent.stderr]).toEqual([
      0,
      expect.stringContaining('tree/link is neither'),
    ]);
    await exec('ln', '-s', '/etc/passwd', '/tmp/tree/outward');
    const got = await msb('cp', 'shared:/tmp/tree', 'tree-back');
    expect([got.exitCode, got.stderr]).toEqual([0, expect.stringContaining('outward is neither')]);
    const names = readdirSync(join(folder, 'tree-back'), { recursive: true });
    const expected = ['deep', 'deep/er', 'deep/er/ünder the tree', 'empty', 'top.txt'];
    expect(names.toSorted()).toEqual(expected);
    const under = join(folder, 'tree-back', 'deep', 'er', 'ünder the tree');
    expect(readFileSync(under, 'utf8')).toBe('under');
  });

  it.each([
    [['a', 'b'], 2, 'sandbox:path'],
    [['shared:a', 'shared:b'], 2, 'sandbox:path'],
    [['./not:there', 'shared:/tmp'], 1, 'There is no file'],
    [['shared:/not/there', '.'], 1, 'There is no file /not/there in shared'],
    [['shared:/etc/hostname', 'not/there/'], 1, 'There is no directory'],
  ])('says what is wrong with %j', async (args, exitCode, told) => {
    const ended = await msb('cp', ...args);
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stderr).toContain(told);
  });
});

it('msb registries keeps a password that comes from no argument and is shown to nobody', async () => {
  const secret = 'nowhere-to-be-seen';
  const registries = (...args: readonly string[]) =>
    runInProcess(['registries', ...args], folder, { environment, secret });
  expect((await registries('list')).stdout).toBe('No registries found\n');
  const added = await registries('add', 'http://127.0.0.1:1', '--username', 'robot', '--json');
  const { id, ...made } = JSON.parse(added.stdout);
  expect(made).toMatchObject({ server: 'http://127.0.0.1:1', username: 'robot', enabled: true });
  const listed = await registries('list');
  expect(listed.stdout).toMatch(/^ID +NAME +SERVER +USER +STATE *\n[0-9a-f]{24} .* robot +on *\n$/);
  // Nothing of this machine is called unless the operator allows it.
  const asked = await registries('test', id);
  expect([asked.exitCode, asked.stdout, asked.stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^Error: The registry must be called over https/),
  ]);
  expect((await registries('password', id)).stdout).toBe('Changed.\n');
  expect((await registries('remove', id)).stdout).toBe('Removed.\n');
  expect((await registries('remove', id)).stderr).toBe('Error: Registry not found\n');
  for (const { stdout, stderr } of [added, listed, asked]) {
    expect(stdout + stderr).not.toContain(secret);
  }
});
