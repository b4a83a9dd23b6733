import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readCgroupHierarchies } from './cgroup-hierarchies.ts';
import { openCgroupV2Group } from './cgroup-v2.ts';
import { recordGroupBases } from './group-bases.ts';
import { detectResourceLimiter, type ResourceGroup } from './resource-limiter.ts';

const stateDirectory = mkdtempSync(join(tmpdir(), 'sandgate-limits-'));
const limiter = await detectResourceLimiter({ stateDirectory });
const root = process.getuid?.() === 0;
const everyLimit = Object.values(limiter.kinds).every((kind) => kind === 'cgroup');
const resources = { memoryMib: 64, cpus: 1, diskMib: 64, maxProcesses: 32 };

const groups: ResourceGroup[] = [];

async function makeGroup(id: string, changes: Partial<typeof resources> = {}) {
  const group = await limiter.createGroup(id, { ...resources, ...changes });
  groups.push(group);
  return group;
}

/** A shell that joins the group and then runs the script, as an ordinary user when this is root. */
function spawnInside(group: Pick<ResourceGroup, 'openJoinFds'>, script: string): ChildProcess {
  const fds = group.openJoinFds();
  const join = fds.map((_, index) => `echo 0 >&${index + 3} || exit 99`).join('\n');
  const child = spawn('/bin/sh', ['-c', `${join}\necho joined; ${script}`], {
    stdio: ['pipe', 'pipe', 'pipe', ...fds],
    ...(root ? { uid: 65_534, gid: 65_534 } : {}),
  });
  for (const fd of fds) closeSync(fd);
  return child;
}

async function outputOf(child: ChildProcess) {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString();
}

async function joined(child: ChildProcess) {
  const [chunk]: unknown[] = child.stdout === null ? [] : await once(child.stdout, 'data');
  expect(String(chunk)).toBe('joined\n');
}

afterEach(async () => {
  for (const group of groups.splice(0)) {
    await group.kill();
    await group.remove();
  }
});

afterAll(async () => {
  await limiter.removeStale();
  await limiter.close();
  rmSync(stateDirectory, { recursive: true, force: true });
});

describe('a resource limiter on any machine', () => {
  it('reports each resource once, with a reason and a remedy where no cgroup limits it', () => {
    expect(limiter.findings.map(({ subject }) => subject)).toEqual([
      'memory limit',
      'CPU limit',
      'process limit',
    ]);
    for (const { status, remedy } of limiter.findings) {
      expect(status === 'ok').toBe(remedy === undefined);
    }
  });

  it('leaves to process limits what no cgroup does, and nothing else', async () => {
    const { rlimits } = await makeGroup('rlimits');
    expect(rlimits.fileSizeBytes).toBe(64 * 1024 * 1024);
    expect(rlimits.dataBytes === undefined).toBe(limiter.kinds.memory === 'cgroup');
    expect(rlimits.processes === undefined).toBe(limiter.kinds.processes === 'cgroup');
  });

  it('falls back to process limits, honestly, where nothing is mounted', async () => {
    const nowhere = join(stateDirectory, 'nowhere');
    const bare = await detectResourceLimiter({
      stateDirectory,
      cgroupRoot: nowhere,
      procRoot: nowhere,
    });
    expect(bare.kinds).toEqual({ memory: 'process', cpu: 'none', processes: 'rlimit' });
    expect(bare.findings.map(({ status }) => status)).toEqual(['degraded', 'missing', 'degraded']);
    const group = await bare.createGroup('a', resources);
    expect(group.openJoinFds()).toEqual([]);
    expect(group.usage()).toBeNull();
    expect(group.rlimits).toMatchObject({ processes: 32, dataBytes: (64 + 1024) * 1024 * 1024 });
    await expect(group.freeze()).rejects.toMatchObject({ code: 'engine_failed' });
    await group.kill();
    await group.remove();
  });

  it('removes groups of its own state directory, wherever an earlier server recorded them', async () => {
    const base = join(stateDirectory, 'earlier');
    const hash = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 8);
    mkdirSync(join(base, `sandgate-${hash}-left`), { recursive: true });
    mkdirSync(join(base, 'sandgate-00000000-other'));
    recordGroupBases(stateDirectory, [base]);
    await limiter.removeStale();
    expect(readdirSync(base)).toEqual(['sandgate-00000000-other']);
  });
});

// A machine that gives no cgroup has no total limits to check; its findings above say so.
describe.runIf(everyLimit)('limits by cgroup', () => {
  it('kills what takes more memory than the sandbox has', async () => {
    const group = await makeGroup('memory');
    const child = spawnInside(group, 'head -c 300000000 /dev/zero | tail > /dev/null; echo $?');
    expect(await outputOf(child)).toMatch(/137\n/);
    expect(group.usage()?.memoryBytes).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  it('stops forks at the process limit', async () => {
    const group = await makeGroup('processes', { maxProcesses: 10 });
    const child = spawnInside(group, 'n=0; while [ $n -lt 40 ]; do sleep 60 & n=$((n+1)); done');
    child.stdout?.resume();
    child.stderr?.resume();
    await once(child, 'exit');
    expect(group.usage()?.processes).toBe(9);
  });

  it('holds a fraction of a CPU', async () => {
    const group = await makeGroup('cpu', { cpus: 0.2, memoryMib: 256 });
    const burn =
      'const spent = () => { const u = process.cpuUsage(); return u.user + u.system; };' +
      'const start = performance.now(), base = spent(); while (spent() - base < 300_000);' +
      'console.log(performance.now() - start);';
    const child = spawnInside(group, `exec "${process.execPath}" -e '${burn}'`);
    const elapsedMs = Number((await outputOf(child)).replace('joined\n', ''));
    expect(elapsedMs).toBeGreaterThan(900);
    expect(group.usage()?.cpuMs).toBeGreaterThan(290);
  });

  it('freezes and thaws', async () => {
    const group = await makeGroup('freeze');
    const child = spawnInside(group, 'exec cat');
    await joined(child);
    await group.freeze();
    const echoed = once(child.stdout ?? child, 'data').then(() => 'echoed');
    child.stdin?.write('x');
    expect(await Promise.race([echoed, setTimeout(100, 'still frozen')])).toBe('still frozen');
    await group.thaw();
    expect(await echoed).toBe('echoed');
  });

  it('gives more memory, and takes it back, while it runs', async () => {
    const group = await makeGroup('more', { memoryMib: 64 });
    const fill = 'head -c 80000000 /dev/zero | tail -c 80000000 | wc -c';
    const fillsMemory = async (): Promise<string> => {
      const child = spawnInside(group, fill);
      let text = '';
      child.stdout?.on('data', (data: Buffer) => {
        text += data.toString('latin1');
      });
      await once(child, 'close');
      return text.trim();
    };
    group.setMemoryMib(192);
    expect(await fillsMemory()).toContain('80000000');
    group.setMemoryMib(64);
    expect(await fillsMemory()).not.toContain('80000000');
  });

  it('kills a tree that keeps forking, and a frozen group', async () => {
    const group = await makeGroup('bomb', { maxProcesses: 200 });
    const bomb = spawnInside(group, 'while :; do (while :; do sleep 60 & done) & done 2>/dev/null');
    const frozen = await makeGroup('frozen');
    const sleeper = spawnInside(frozen, 'exec sleep 60');
    await Promise.all([joined(bomb), joined(sleeper)]);
    const ended = Promise.all([once(bomb, 'exit'), once(sleeper, 'exit')]);
    await frozen.freeze();
    await Promise.all([group.kill(), frozen.kill()]);
    expect([group.usage()?.processes, frozen.usage()?.processes]).toEqual([0, 0]);
    expect((await ended)[1]).toEqual([null, 'SIGKILL']);
    await group.remove();
    await group.remove();
  });

  it('replaces a group of the same name, ending what ran in it', async () => {
    const first = await makeGroup('again');
    const child = spawnInside(first, 'exec sleep 60');
    await joined(child);
    const ended = once(child, 'exit');
    const second = await makeGroup('again');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(second.usage()?.processes).toBe(0);
  });

  it('ends what an earlier server of the state directory left, and nothing of another', async () => {
    const otherDirectory = mkdtempSync(join(tmpdir(), 'sandgate-limits-'));
    const other = await detectResourceLimiter({ stateDirectory: otherDirectory });
    const foreign = await other.createGroup('foreign', resources);
    const left = await makeGroup('left');
    const child = spawnInside(left, 'exec sleep 60');
    await joined(child);
    const ended = once(child, 'exit');
    const next = await detectResourceLimiter({ stateDirectory });
    await next.removeStale();
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(left.usage()).toBeNull();
    expect(foreign.usage()).not.toBeNull();
    await foreign.remove();
    expect(foreign.usage()).toBeNull();
    await other.close();
    rmSync(otherDirectory, { recursive: true });
  });

  it('reports usage of processes that joined', async () => {
    const group = await makeGroup('usage');
    const child = spawnInside(group, 'sleep 60 & wait');
    await joined(child);
    expect(group.usage()?.memoryBytes).toBeGreaterThan(0);
    expect(group.usage()?.processes).toBeGreaterThanOrEqual(1);
  });
});

const unified = readCgroupHierarchies('/proc', '/sys/fs/cgroup').find(
  ({ version }) => version === 2,
);

// cgroup v2 without controllers is common beside v1; killing and freezing work there all the same.
describe.runIf(root && unified !== undefined)('a cgroup v2 group of the running kernel', () => {
  const directory = join(unified?.ownDirectory ?? '', `sandgate-test-${process.pid}`);

  it('freezes, thaws, kills and is removed', async () => {
    mkdirSync(directory);
    const group = openCgroupV2Group(directory);
    const child = spawnInside(group, 'exec cat');
    await joined(child);
    const ended = once(child, 'exit');
    await group.freeze();
    const echoed = once(child.stdout ?? child, 'data').then(() => 'echoed');
    child.stdin?.write('x');
    expect(await Promise.race([echoed, setTimeout(100, 'still frozen')])).toBe('still frozen');
    await group.thaw();
    expect(await echoed).toBe('echoed');
    await group.freeze();
    await group.kill();
    expect(await ended).toEqual([null, 'SIGKILL']);
    await group.remove();
    await group.remove();
    expect(existsSync(directory)).toBe(false);
  });
});
