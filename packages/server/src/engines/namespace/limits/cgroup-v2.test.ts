import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { detectResourceLimiter } from './resource-limiter.ts';

/**
 * A directory tree that behaves like cgroup v2 where the adapter depends on it: a new cgroup comes
 * with its control files, a process is in one cgroup at a time, controllers cannot be enabled for
 * children of a cgroup that holds processes, and killing and freezing show in `cgroup.events`.
 */
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const paths = new Map<number, string>();
  const isCgroup = (path: string) => path.includes('/fake-cgroup/');
  const read = (directory: string, file: string) => fs.readFileSync(join(directory, file), 'utf8');
  const busy = () => Object.assign(new Error('EBUSY: resource busy'), { code: 'EBUSY' });
  const populate = (directory: string, controllers: string) => {
    const files = {
      'cgroup.controllers': controllers,
      'cgroup.subtree_control': '',
      'cgroup.procs': '',
      'cgroup.events': 'populated 0\nfrozen 0\n',
      'cgroup.freeze': '0',
      'cgroup.kill': '',
      'cpu.stat': 'usage_usec 1500\nuser_usec 1000\n',
      'memory.current': '4096',
      ...(controllers.includes('memory') ? { 'memory.max': 'max', 'memory.swap.max': 'max' } : {}),
      ...(controllers.includes('pids') ? { 'pids.max': 'max' } : {}),
      ...(controllers.includes('cpu') ? { 'cpu.max': 'max 100000' } : {}),
    };
    for (const [name, content] of Object.entries(files)) {
      fs.writeFileSync(join(directory, name), content);
    }
  };
  return {
    ...fs,
    mkdirSync(path: string, options?: { recursive?: boolean }) {
      if (!isCgroup(path)) return fs.mkdirSync(path, options);
      if (options?.recursive === true && fs.existsSync(path)) return undefined;
      fs.mkdirSync(path);
      const parent = dirname(path);
      const inherits =
        basename(parent) === 'fake-cgroup' ? '' : read(parent, 'cgroup.subtree_control');
      populate(path, inherits || (process.env.FAKE_CONTROLLERS ?? ''));
      return path;
    },
    rmdirSync(path: string) {
      if (!fs.existsSync(path)) fs.rmdirSync(path);
      if (read(path, 'cgroup.procs').trim() !== '') throw busy();
      fs.rmSync(path, { recursive: true });
    },
    openSync(path: string, flags: number) {
      const descriptor = fs.openSync(path, flags);
      paths.set(descriptor, path);
      return descriptor;
    },
    writeSync(descriptor: number, value: string) {
      const path = paths.get(descriptor) ?? '';
      const directory = dirname(path);
      const members = (of: string) => read(of, 'cgroup.procs').split('\n').filter(Boolean);
      if (path.endsWith('cgroup.subtree_control')) {
        if (members(directory).length > 0 && value.startsWith('+')) throw busy();
        const now = new Set(read(directory, 'cgroup.subtree_control').split(' ').filter(Boolean));
        if (value.startsWith('+')) now.add(value.slice(1));
        else now.delete(value.slice(1));
        fs.writeFileSync(path, [...now].join(' '));
      } else if (path.endsWith('cgroup.procs')) {
        for (const other of [dirname(directory), join(directory, 'sandgate-server')]) {
          if (!fs.existsSync(join(other, 'cgroup.procs'))) continue;
          const rest = members(other).filter((pid) => pid !== value);
          fs.writeFileSync(join(other, 'cgroup.procs'), rest.join('\n'));
        }
        fs.writeFileSync(path, [...members(directory), value].join('\n'));
      } else {
        fs.writeFileSync(path, value);
        if (path.endsWith('cgroup.kill')) fs.writeFileSync(join(directory, 'cgroup.procs'), '');
        if (path.endsWith('cgroup.freeze')) {
          fs.writeFileSync(join(directory, 'cgroup.events'), `populated 0\nfrozen ${value}\n`);
        }
      }
      return value.length;
    },
  };
});

const resources = { memoryMib: 64, cpus: 0.25, diskMib: 10, maxProcesses: 20 };
let directory: string;
let own: string;
let options: { stateDirectory: string; cgroupRoot: string; procRoot: string };

async function build(controllers: string, residents: readonly number[]) {
  const { mkdirSync } = await vi.importActual<typeof import('node:fs')>('node:fs');
  const fake = await import('node:fs');
  directory = mkdtempSync(join(tmpdir(), 'sandgate-cgroup-v2-'));
  const cgroupRoot = join(directory, 'fake-cgroup');
  options = {
    stateDirectory: join(directory, 'state'),
    cgroupRoot,
    procRoot: join(directory, 'proc'),
  };
  mkdirSync(cgroupRoot);
  vi.stubEnv('FAKE_CONTROLLERS', controllers);
  own = join(cgroupRoot, 'user.slice');
  fake.mkdirSync(own);
  writeFileSync(join(own, 'cgroup.procs'), residents.join('\n'));
  mkdirSync(join(options.procRoot, 'self'), { recursive: true });
  writeFileSync(join(options.procRoot, 'self/cgroup'), '0::/user.slice\n');
  const mount = `30 23 0:26 / ${cgroupRoot} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`;
  writeFileSync(join(options.procRoot, 'self/mountinfo'), mount);
  for (const [pid, parent] of [
    [process.pid, 4242],
    [4242, 1],
  ]) {
    mkdirSync(join(options.procRoot, String(pid)), { recursive: true });
    writeFileSync(join(options.procRoot, String(pid), 'status'), `Name:\tx\nPPid:\t${parent}\n`);
  }
}

const control = (...path: string[]) => readFileSync(join(own, ...path), 'utf8').trim();
const children = () =>
  readdirSync(own, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

beforeEach(() => build('cpu io memory pids', [4242, process.pid]));

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

describe('cgroup v2, against a tree that behaves like it', () => {
  it('moves the server and what started it into a leaf and enables every controller', async () => {
    const limiter = await detectResourceLimiter(options);
    expect(limiter.kinds).toEqual({ memory: 'cgroup', cpu: 'cgroup', processes: 'cgroup' });
    expect(control('cgroup.procs')).toBe('');
    expect(control('sandgate-server', 'cgroup.procs').split('\n')).toEqual([
      '4242',
      `${process.pid}`,
    ]);
    expect(control('cgroup.subtree_control').split(' ')).toEqual(['memory', 'pids', 'cpu']);
    expect(children()).toEqual(['sandgate-server']);
    await limiter.close();
    expect(control('cgroup.subtree_control')).toBe('');
    expect(control('cgroup.procs').split('\n')).toEqual(['4242', `${process.pid}`]);
    expect(children()).toEqual([]);
  });

  it('uses the parent when the server starts inside such a leaf already', async () => {
    await detectResourceLimiter(options);
    writeFileSync(join(options.procRoot, 'self/cgroup'), '0::/user.slice/sandgate-server\n');
    const second = await detectResourceLimiter(options);
    expect(second.kinds.memory).toBe('cgroup');
    expect(children()).toEqual(['sandgate-server']);
  });

  it('sets memory without swap, processes and a fraction of a CPU', async () => {
    const limiter = await detectResourceLimiter(options);
    const group = await limiter.createGroup('abc', resources);
    const name = children().find((child) => child.endsWith('-abc')) ?? '';
    expect(name).toMatch(/^sandgate-[0-9a-f]{8}-abc$/);
    expect(control(name, 'memory.max')).toBe(String(64 * 1024 * 1024));
    expect(control(name, 'memory.swap.max')).toBe('0');
    expect(control(name, 'pids.max')).toBe('20');
    expect(control(name, 'cpu.max')).toBe('25000 100000');
    expect(group.usage()).toEqual({ cpuMs: 1.5, memoryBytes: 4096, processes: 0 });
    group.setMemoryMib(96);
    expect(control(name, 'memory.max')).toBe(String(96 * 1024 * 1024));
    await group.freeze();
    expect(control(name, 'cgroup.freeze')).toBe('1');
    await group.thaw();
    await group.kill();
    expect(control(name, 'cgroup.kill')).toBe('1');
    await group.remove();
    expect(children()).toEqual(['sandgate-server']);
    expect(group.usage()).toBeNull();
  });

  it('removes what an earlier server left', async () => {
    await (await detectResourceLimiter(options)).createGroup('left', resources);
    const next = await detectResourceLimiter(options);
    await next.removeStale();
    expect(children()).toEqual(['sandgate-server']);
  });

  it('says which controllers are missing and limits by the others', async () => {
    rmSync(directory, { recursive: true });
    await build('pids', [process.pid]);
    const limiter = await detectResourceLimiter(options);
    expect(limiter.kinds).toEqual({ memory: 'process', cpu: 'none', processes: 'cgroup' });
    expect(limiter.findings[0]?.message).toContain('the memory controller is not delegated');
    const group = await limiter.createGroup('a', resources);
    expect(group.rlimits.dataBytes).toBeGreaterThan(0);
    expect(group.rlimits.processes).toBeUndefined();
  });

  it('leaves a cgroup alone that holds other programs', async () => {
    rmSync(directory, { recursive: true });
    await build('cpu memory pids', [process.pid, 777_777]);
    const limiter = await detectResourceLimiter(options);
    expect(limiter.kinds).toEqual({ memory: 'process', cpu: 'none', processes: 'rlimit' });
    expect(limiter.findings[0]?.message).toContain('processes that do not belong to the server');
    expect(limiter.findings[0]?.remedy).toContain('Delegate=yes');
    expect(control('cgroup.procs')).toContain('777777');
    expect(children()).toEqual([]);
    expect((await limiter.createGroup('a', resources)).openJoinFds()).toEqual([]);
    expect(existsSync(options.stateDirectory)).toBe(false);
  });
});
