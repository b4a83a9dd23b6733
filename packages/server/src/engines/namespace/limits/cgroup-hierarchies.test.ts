import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { readCgroupHierarchies } from './cgroup-hierarchies.ts';

let procRoot: string;

function fakeProc(cgroup: string, mountinfo: string): string {
  procRoot = mkdtempSync(join(tmpdir(), 'sandgate-proc-'));
  mkdirSync(join(procRoot, 'self'));
  writeFileSync(join(procRoot, 'self/cgroup'), cgroup);
  writeFileSync(join(procRoot, 'self/mountinfo'), mountinfo);
  return procRoot;
}

afterEach(() => rmSync(procRoot, { recursive: true, force: true }));

it('finds the own cgroup in v1 hierarchies mounted together or apart, and in v2', () => {
  const cgroup = '9:cpu,cpuacct:/a:b\n8:memory:/\n1:name=systemd:/\n0::/user.slice\n';
  const mounts = [
    '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw',
    '42 31 0:38 / /elsewhere rw - cgroup2 cgroup2 rw',
  ];
  expect(readCgroupHierarchies(fakeProc(cgroup, mounts.join('\n')), '/sys/fs/cgroup')).toEqual([
    { version: 1, controllers: ['cpu', 'cpuacct'], ownDirectory: '/sys/fs/cgroup/cpu,cpuacct/a:b' },
    { version: 1, controllers: ['memory'], ownDirectory: '/sys/fs/cgroup/memory/' },
    { version: 2, controllers: [], ownDirectory: '/sys/fs/cgroup/uni fied/user.slice' },
  ]);
});

it('follows a mount that shows only a container’s part, and leaves out one that shows another', () => {
  const cgroup = '8:memory:/docker/abc/x\n7:pids:/elsewhere\n';
  const mounts = [
    '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
    '36 31 0:33 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids',
  ];
  expect(readCgroupHierarchies(fakeProc(cgroup, mounts.join('\n')), '/sys/fs/cgroup')).toEqual([
    { version: 1, controllers: ['memory'], ownDirectory: '/sys/fs/cgroup/memory/x' },
  ]);
});
