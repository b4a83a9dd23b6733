import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine, EngineSandboxSpec } from '@sandgate/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runProgram, runShell } from '../contract/contract-suite.ts';
import { readRecordedProcess } from './launch-sandbox.ts';
import { createNamespaceEngine } from './namespace-engine.ts';
import { createRuntimeDirectory } from './runtime-directory.ts';
import { commandLines, isAlive, readAll, startServer } from './start-server-in-test.ts';

const isRoot = process.getuid?.() === 0;

let state: string;
let engine: Engine;
const children: ChildProcess[] = [];
const folders: string[] = [];

function open(): void {
  state = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
  engine = createNamespaceEngine({ stateDirectory: state });
}

async function close(): Promise<void> {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await engine.close();
  for (const folder of [state, ...folders.splice(0)])
    rmSync(folder, { recursive: true, force: true });
}

function spec(overrides: Partial<EngineSandboxSpec> = {}): EngineSandboxSpec {
  return {
    id: randomBytes(12).toString('hex'),
    hostname: 'box',
    image: 'microsandbox/node',
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
    environment: {},
    workdir: '/workspace',
    mounts: [],
    scripts: {},
    ...overrides,
  };
}

/** Resolves with what a promise is rejected with. */
async function invert(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (cause) {
    return cause;
  }
  throw new Error('was not rejected');
}

describe.each(['bubblewrap', 'util-linux'] as const)('a server with %s', (launcher) => {
  beforeEach(open);
  afterEach(close);

  it('that is killed leaves no process, and the next one cleans up', async () => {
    const mark = `9${Date.now()}`;
    const child = startServer(
      { stateDirectory: state, launcher },
      `for (const digit of '123') {
         const sandbox = await engine.start({ ...spec, id: digit.repeat(24) });
         await run(sandbox, 'sh', '-c', 'setsid sleep ${mark} </dev/null >/dev/null 2>&1 &');
         run(sandbox, 'sleep', '${mark}');
       }
       console.log('up');`,
    );
    children.push(child);
    const [first] = child.stdout === null ? [] : await once(child.stdout, 'data');
    expect(String(first)).toBe('up\n');
    const running = (): number => commandLines().filter((line) => line.includes(mark)).length;
    await expect.poll(running).toBe(7);
    const { sandboxes, fifos } = createRuntimeDirectory(state);
    const stock = (): string[] => readdirSync(sandboxes).filter((id) => id.startsWith('stock-'));
    const prepared = (): number[] =>
      stock().flatMap((name) => readRecordedProcess(join(sandboxes, name))?.pid ?? []);
    await expect.poll(() => prepared().length).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await expect.poll(running, { timeout: 20_000 }).toBe(0);
    await expect
      .poll(() => commandLines().filter((line) => line.includes(state)).length, { timeout: 20_000 })
      .toBe(0);
    expect(readdirSync(sandboxes)).toHaveLength(3 + stock().length);
    await expect.poll(() => prepared().filter(isAlive), { timeout: 20_000 }).toEqual([]);
    await engine.reconcile();
    expect(readdirSync(sandboxes)).toEqual([]);
    expect(readdirSync(fifos).filter((name) => !name.startsWith(`${process.pid}-`))).toEqual([]);
    const sandbox = await engine.start(spec({ id: '1'.repeat(24) }));
    expect((await runProgram(sandbox, ['echo', 'again'])).stdout).toBe('again\n');
  });

  it('that runs as an ordinary user starts the same sandboxes', async () => {
    const own = join(state, 'own');
    mkdirSync(own, { mode: 0o700 });
    chmodSync(state, 0o755);
    if (isRoot) (await import('node:fs')).chownSync(own, 1_234_567, 1_234_567);
    const child = startServer(
      { stateDirectory: own, launcher, ...(isRoot ? { user: 1_234_567 } : {}) },
      `const report = await engine.probe();
       if (!report.usable) console.log(JSON.stringify(report.findings));
       let sandbox = await engine.start({ ...spec, image: 'node' });
       console.log(JSON.stringify(await run(sandbox, 'sh', '-c', 'id -u; grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; unshare -Ur true 2>/dev/null || echo refused; node -p 6*7; touch kept')));
       console.log(JSON.stringify(await run(sandbox, 'sh', '-c', "awk '$6 ~ /^rw/ && $5 !~ /^.dev/ { print $5 }' /proc/self/mountinfo | LC_ALL=C sort")));
       await sandbox.stop();
       sandbox = await engine.start({ ...spec, image: 'node' });
       console.log(JSON.stringify(await run(sandbox, 'ls')));
       console.log(JSON.stringify((await sandbox.metrics()).diskBytes > 0));
       let text = '';
       const outcome = await sandbox.kernel('node').run({ code: '1+1', onOutput: ({ data }) => { text += data; } });
       console.log(JSON.stringify([outcome, text]));
       await engine.reconcile();
       await engine.close();
       console.log('closed');`,
    );
    children.push(child);
    const none = '0000000000000000';
    const status = `CapEff:\t${none}\nCapBnd:\t${none}\nNoNewPrivs:\t1\nSeccomp:\t2\n`;
    expect((await readAll(child)).trim().split('\n')).toEqual([
      JSON.stringify([0, `1000\n${status}refused\n42\n`]),
      JSON.stringify([0, '/\n/.sandbox\n/proc\n/tmp\n']),
      JSON.stringify([0, 'kept\n']),
      'true',
      JSON.stringify([{ kind: 'completed' }, '2\n']),
      'closed',
    ]);
  });
});

describe('a sandbox beside others', () => {
  beforeAll(open);
  afterAll(close);

  it('has a host user of its own when the server is root', async () => {
    const sandboxes = [await engine.start(spec()), await engine.start(spec())];
    const { sandboxes: directory } = createRuntimeDirectory(state);
    const uids = sandboxes.map(({ id }) => {
      const pid = /^\d+/.exec(readFileSync(join(directory, id, 'process'), 'utf8'))?.[0];
      return statSync(`/proc/${pid}`).uid;
    });
    if (isRoot) {
      expect(new Set(uids).size).toBe(2);
      for (const uid of uids) expect(uid).toBeGreaterThanOrEqual(0x7000_0000);
    } else expect(new Set(uids)).toEqual(new Set([process.getuid?.()]));
  });

  it('has a session of its own, so that Ctrl-C in the terminal of the server is not for it', async () => {
    const { id } = await engine.start(spec());
    const { sandboxes } = createRuntimeDirectory(state);
    const pid = readFileSync(join(sandboxes, id, 'process'), 'utf8').split(' ')[0];
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(session).toBe(pid);
  });

  it('hands its programs three file descriptors and a filter', async () => {
    const sandbox = await engine.start(spec());
    const script =
      'for f in /proc/self/fd/*; do [ -e "$f" ] && readlink "$f"; done; grep ^Seccomp: /proc/self/status';
    const { stdout } = await runShell(sandbox, script);
    const lines = stdout.split('\n').filter((line) => line !== '' && line !== '/dev/null');
    expect(lines).toEqual([
      expect.stringMatching(/^\/\.sandbox\/io\/\d+\.out/),
      expect.stringMatching(/^\/\.sandbox\/io\/\d+\.err/),
      'Seccomp:\t2',
    ]);
  });

  it('keeps the layer of its run before when the files cannot be saved', async () => {
    const wanted = spec();
    const first = await engine.start(wanted);
    await runShell(first, 'echo old >file');
    await first.stop();
    const second = await engine.start(wanted);
    await runShell(second, 'echo new >file; rm -f /lib64 /lib');
    await expect(second.stop()).rejects.toMatchObject({ code: 'engine_failed' });
    expect(await second.exited).toBe('stopped');
    const third = await engine.start(wanted);
    expect((await runShell(third, 'cat file')).stdout).toBe('old\n');
  });

  it('is told that its disk is full before its memory is, and keeps what was written', async () => {
    const wanted = spec({
      resources: { memoryMib: 128, cpus: 1, diskMib: 1_024, maxProcesses: 64 },
    });
    const first = await engine.start(wanted);
    await runShell(first, 'echo kept >file');
    for (const directory of ['/dev/shm', '/tmp', '/workspace']) {
      const script = 'head -c 200000000 /dev/zero >"$0/fill"';
      const { stderr } = await runProgram(first, ['/bin/sh', '-c', script, directory]);
      expect(stderr).toContain('No space left on device');
    }
    expect((await runShell(first, 'cat file')).stdout).toBe('kept\n');
    await first.stop();
    const second = await engine.start(wanted);
    expect((await runShell(second, 'cat file')).stdout).toBe('kept\n');
  });

  it('does not start without its files when they cannot be restored, and keeps them', async () => {
    const wanted = spec();
    const first = await engine.start(wanted);
    await runShell(first, 'head -c 20000000 /dev/urandom >large');
    await first.stop();
    const smaller = { ...wanted, resources: { ...wanted.resources, diskMib: 8 } };
    await expect(engine.start(smaller)).rejects.toMatchObject({ code: 'engine_failed' });
    const second = await engine.start(wanted);
    expect((await runShell(second, 'wc -c <large')).stdout.trim()).toBe('20000000');
  });

  it('survives having no process to spare', async () => {
    const resources = { ...spec().resources, maxProcesses: 20 };
    const sandbox = await engine.start(spec({ resources }));
    const controller = new AbortController();
    const sleepers = Array.from({ length: 30 }, () =>
      runProgram(sandbox, ['sleep', '3600'], { signal: controller.signal }),
    );
    await expect(Promise.any(sleepers.map(invert))).resolves.toMatchObject({
      code: 'engine_failed',
    });
    controller.abort();
    await Promise.allSettled(sleepers);
    expect((await runShell(sandbox, 'echo enough')).stdout).toBe('enough\n');
  });

  it('loses only the job whose watcher it kills', async () => {
    const sandbox = await engine.start(spec());
    const lost = runShell(sandbox, 'kill -KILL "$PPID"; sleep 1000');
    await expect(lost).rejects.toMatchObject({ code: 'engine_failed' });
    expect((await runShell(sandbox, 'echo next')).stdout).toBe('next\n');
  });

  it('that stops its agent does not hold a caller beyond the time of the call', async () => {
    const sandbox = await engine.start(spec());
    const agent = `$(awk '/^PPid/ { print $2 }' "/proc/$PPID/status")`;
    const stopped = Promise.withResolvers<void>();
    const script = `kill -STOP "${agent}"; echo stopped; sleep 1000`;
    const argv = ['/bin/sh', '-c', script];
    // Until the sandbox ends: its end cannot be told any more.
    sandbox.exec({ argv, onOutput: () => stopped.resolve() }).catch(stopped.reject);
    await stopped.promise;
    expect((await runShell(sandbox, 'echo x', { timeoutMs: 100 })).kind).toBe('timed_out');
  });

  it.each(['echo nonsense', 'echo pid 5', 'yes | tr -d "\\n"', 'echo exit 256'])(
    'is ended when %s goes to the server',
    async (command) => {
      const sandbox = await engine.start(spec());
      await runShell(sandbox, `${command} >"/proc/$PPID/fd/4"; sleep 1000`).catch(() => {});
      expect(await sandbox.exited).toBe('ended');
    },
  );

  it('sees directories of the host that were asked for, and no more of them', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'sandgate-shared-'));
    folders.push(shared);
    chmodSync(shared, 0o777);
    writeFileSync(join(shared, 'file'), 'host', { mode: 0o644 });
    const mount = { hostPath: shared, guestPath: '/data/in', readOnly: true };
    const reader = await engine.start(spec({ mounts: [mount] }));
    expect((await runShell(reader, 'cat /data/in/file; echo x >/data/in/y')).stdout).toBe('host');
    expect(existsSync(join(shared, 'y'))).toBe(false);
    const writer = await engine.start(spec({ mounts: [{ ...mount, readOnly: false }] }));
    await runShell(writer, 'echo from inside >/data/in/y');
    expect(readFileSync(join(shared, 'y'), 'utf8')).toBe('from inside\n');
    await writer.stop();
    for (const guestPath of ['/', '/proc/x', '/usr', '/etc/x', '/.sandbox/io', '/a/../usr', 'x']) {
      const start = engine.start(spec({ mounts: [{ ...mount, guestPath }] }));
      await expect(start).rejects.toMatchObject({ code: 'volume_refused' });
    }
  });

  it('never sees the directories of the server, nor what holds them', async () => {
    await engine.start(spec());
    const { sandboxes } = createRuntimeDirectory(state);
    const link = join(mkdtempSync(join(tmpdir(), 'sandgate-shared-')), 'link');
    folders.push(dirname(link));
    symlinkSync(state, link);
    const own = [state, join(state, 'layers'), tmpdir(), '/', link, sandboxes, dirname(sandboxes)];
    for (const hostPath of own) {
      const mounts = [{ hostPath, guestPath: '/data', readOnly: true }];
      const start = engine.start(spec({ mounts }));
      await expect(start).rejects.toMatchObject({ code: 'volume_refused' });
    }
  });

  it('comes back with the files of its snapshot when both ended before it was ever stopped', async () => {
    const original = await engine.start(spec());
    const snapshot = randomBytes(12).toString('hex');
    await runShell(original, 'echo kept >/workspace/file');
    await original.snapshot?.(snapshot);
    const restored = spec();
    const first = await engine.start({ ...restored, fromSnapshot: snapshot });
    await engine.snapshots?.remove(snapshot);
    await first.stop({ keepLayer: false });
    const second = await engine.start(restored);
    expect((await runShell(second, 'cat /workspace/file')).stdout).toBe('kept\n');
  });

  it('puts into a snapshot only what is in its own writable root', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'sandgate-shared-'));
    folders.push(shared);
    chmodSync(shared, 0o777);
    writeFileSync(join(shared, 'host-file'), 'host', { mode: 0o644 });
    const mounts = [{ hostPath: shared, guestPath: '/data/in', readOnly: false }];
    const sandbox = await engine.start(spec({ mounts, scripts: { begin: 'true' } }));
    await runShell(sandbox, 'mkdir -p /srv/x; echo mine >/srv/x/own-file; echo tmp >/tmp/tmp-file');
    const id = spec().id;
    await sandbox.snapshot?.(id);
    const path = join(createRuntimeDirectory(state).snapshots, `${id}.tar`);
    const names = execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).split('\n');
    expect(names).toContain('./srv/x/own-file');
    for (const name of names) {
      expect(name).not.toMatch(/host-file|tmp-file|^\.\/(proc|dev|sys|\.sandbox|usr)\/./);
    }
  });

  it('can be started again under an id whose first start was refused', async () => {
    const wanted = spec();
    const refused = { ...wanted, fromSnapshot: 'a'.repeat(24) };
    await expect(engine.start(refused)).rejects.toMatchObject({ code: 'snapshot_not_found' });
    await engine.start(wanted);
  });

  it('has no layer with a name that is a path', async () => {
    await expect(engine.removeLayer('../layers')).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('is refused when its description is not sound', async () => {
    for (const wrong of [
      { id: '../../x' },
      { hostname: 'a b' },
      { workdir: 'relative' },
      { workdir: '/a/../b' },
      { environment: { 'A=B': '1' } },
      { resources: { ...spec().resources, diskMib: 0.5 } },
    ]) {
      await expect(engine.start(spec(wrong))).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });
});

describe('a sandbox', () => {
  beforeEach(open);
  afterEach(close);

  it('is not started where nothing starts, and the report says why', async () => {
    const broken = createNamespaceEngine({ stateDirectory: state, agentShell: '/bin/false' });
    const report = await broken.probe();
    expect(report.usable).toBe(false);
    const missing = report.findings.filter(({ status }) => status === 'missing');
    expect(missing.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['bubblewrap', 'util-linux', 'user namespaces']),
    );
    await expect(broken.start(spec())).rejects.toMatchObject({ code: 'engine_unavailable' });
    await broken.close();
  });

  it('loses nothing when another engine of its state directory has looked around and closes', async () => {
    const wanted = spec();
    await engine.reconcile();
    const sandbox = await engine.start(wanted);
    await runShell(sandbox, 'echo kept >file');
    const other = createNamespaceEngine({ stateDirectory: state });
    await other.probe();
    await other.close();
    expect((await runShell(sandbox, 'cat file')).stdout).toBe('kept\n');
    await sandbox.stop();
    const again = await engine.start(wanted);
    expect((await runShell(again, 'cat file')).stdout).toBe('kept\n');
  });

  it('has no files any more when its layer was removed, which it must be stopped for', async () => {
    const wanted = spec();
    const first = await engine.start(wanted);
    await runShell(first, 'echo kept >file');
    await expect(engine.removeLayer(wanted.id)).rejects.toMatchObject({ code: 'sandbox_busy' });
    await first.stop();
    const { layers } = createRuntimeDirectory(state);
    expect(readdirSync(layers)).toEqual([`${wanted.id}.tar`]);
    await engine.removeLayer(wanted.id);
    await engine.removeLayer(wanted.id);
    expect(readdirSync(layers)).toEqual([]);
    const second = await engine.start(wanted);
    expect((await runShell(second, 'ls')).stdout).toBe('');
  });

  it('leaves no half layer on the disk when its server was killed', async () => {
    const { layers } = createRuntimeDirectory(state);
    const id = spec().id;
    for (const name of [`${id}.tar.partial`, `${id}.tar`]) writeFileSync(join(layers, name), '');
    await engine.reconcile();
    expect(readdirSync(layers)).toEqual([`${id}.tar`]);
  });

  it('leaves no half snapshot on the disk when its server was killed', async () => {
    const { snapshots } = createRuntimeDirectory(state);
    const id = spec().id;
    for (const name of [`${id}.tar.partial`, `${id}.tar`]) writeFileSync(join(snapshots, name), '');
    await engine.reconcile();
    expect(readdirSync(snapshots)).toEqual([`${id}.tar`]);
  });

  it('is saved when the engine closes, also when it was just starting', async () => {
    const wanted = spec();
    const running = await engine.start(wanted);
    await runShell(running, 'echo saved >file');
    const starting = engine.start(spec());
    await new Promise((resolve) => setImmediate(resolve));
    await engine.close();
    expect(await (await starting).exited).toBe('stopped');
    await expect(engine.start(spec())).rejects.toMatchObject({ code: 'sandbox_busy' });
    engine = createNamespaceEngine({ stateDirectory: state });
    const again = await engine.start(wanted);
    expect((await runShell(again, 'cat file')).stdout).toBe('saved\n');
  });
});
