import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { quoteShell } from '../../quote-shell.ts';
import { guestUid } from '../engine-options.ts';
import type { Launcher, LaunchPlan, MountStep } from './launcher.ts';
import { readMountPoints } from './mount-points.ts';
import type { SeccompLoader } from './seccomp-loader.ts';

export interface UtilLinux {
  readonly version: string;
  readonly setpriv: string;
  readonly unshare: string;
  /** Null: sandboxes run without a system-call filter. */
  readonly seccompLoader: SeccompLoader | null;
}

/**
 * Sandboxes by util-linux alone, for hosts without bubblewrap. `unshare` makes the namespaces and
 * keeps the capabilities that hold in them, a shell script mounts the sandbox's file system and
 * changes to it, and `setpriv` drops everything before the first program of the sandbox.
 */
export function createUtilLinuxLauncher(tools: UtilLinux): Launcher {
  return {
    name: 'util-linux',
    description: `util-linux ${tools.version} (${tools.unshare})`,
    needsStaging: true,
    seccomp: tools.seccompLoader !== null,
    command: (plan) => ({
      file: tools.setpriv,
      args: [
        ...['--pdeathsig', 'KILL', '--', tools.unshare],
        ...['--user', `--map-user=${guestUid}`, `--map-group=${guestUid}`, '--keep-caps'],
        ...['--pid', '--fork', '--kill-child=KILL', '--mount', '--net', '--ipc', '--uts'],
        ...['--cgroup', '--', '/bin/sh', '-c', setupScript(tools, plan)],
      ],
    }),
  };
}

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * The first process: it stays to reap what is orphaned, and when the agent goes, so does it, and
 * with it the PID namespace. Shells give a background job an empty input unless it is redirected.
 */
const firstProcess = 'exec 8<&0 </dev/null; "$@" <&8 8<&- & exec 8<&- 3>&-; wait "$!"';

function setupScript(tools: UtilLinux, plan: LaunchPlan): string {
  const root = plan.stagingDirectory;
  const environment = Object.entries({ ...plan.environment, PWD: plan.workdir });
  const filter =
    tools.seccompLoader === null || plan.seccompFd === null
      ? []
      : tools.seccompLoader.command(plan.seccompFd);
  const drop = ['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs'];
  const first = ['/bin/sh', '-c', firstProcess, 'sh', plan.shell, '-s'];
  return [
    'set -e; umask 022; PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    ...mountRoot(plan.steps, root),
    ...plan.steps.flatMap((step) => stepLines(step, plan.steps, root)),
    // Of this user namespace: nobody inside can make another one, nor change this without a capability.
    'echo 0 >/proc/sys/user/max_user_namespaces',
    `hostname ${quoteShell(plan.hostname)} || true`,
    'ip link set lo up 2>/dev/null || true',
    `cd ${quoteShell(root)}; mkdir .host; pivot_root . .host; cd /; umount -n -l /.host; rmdir /.host`,
    `cd ${quoteShell(plan.workdir)}; unset OLDPWD`,
    ...environment.map(([name, value]) => `export ${quoteShell(`${name}=${value}`)}`),
    `exec ${[tools.setpriv, ...drop, '--', ...filter, ...first].map(quoteShell).join(' ')}`,
  ].join('\n');
}

/** Mounts the root, and makes in one go what is mounted on or linked in it. */
function mountRoot(steps: readonly MountStep[], root: string): string[] {
  const [first, ...rest] = steps;
  if (first?.kind !== 'tmpfs' || first.path !== '/') throw new Error('a plan begins with its root');
  const mounted: string[] = [];
  const directories = new Set<string>();
  const files: string[] = [];
  for (const step of rest) {
    const { path } = step;
    // What is beneath another mount is there already, or is nothing of ours to make.
    if (!mounted.some((parent) => path.startsWith(`${parent}/`))) {
      const isFile = step.kind === 'bind' && !statSync(step.source).isDirectory();
      directories.add(isFile || step.kind === 'symlink' ? dirname(path) : path);
      if (isFile) files.push(path);
    }
    if (step.kind !== 'directory' && step.kind !== 'symlink') mounted.push(path);
  }
  const inside = (path: string): string => quoteShell(root + path);
  return [
    `mount -n -t tmpfs -o size=${first.bytes},mode=${first.mode.toString(8)},nosuid,nodev tmpfs ${quoteShell(root)}`,
    `mkdir -p ${[...directories].map(inside).join(' ')}`,
    ...files.map((path) => `: >${inside(path)}`),
  ];
}

function stepLines(step: MountStep, steps: readonly MountStep[], root: string): string[] {
  const at = quoteShell(root + step.path);
  switch (step.kind) {
    case 'tmpfs':
      if (step.path === '/') return [];
      return [mountTmpfs(at, step.bytes, step.mode), ...placesIn(step.path, steps, root)];
    case 'bind':
      return bindLines(step.source, root + step.path, step.readOnly);
    case 'directory':
      return [];
    case 'symlink':
      return [`ln -s ${quoteShell(step.target)} ${at}`];
    case 'proc':
      return [`mount -n -t proc -o nosuid,nodev,noexec proc ${at}`];
    case 'dev':
      return deviceLines(at, step.shmBytes);
  }
}

/** Directories in an empty file system that later steps need. */
function placesIn(path: string, steps: readonly MountStep[], root: string): string[] {
  const places = steps.filter(
    (step) =>
      step.path.startsWith(`${path}/`) &&
      step.kind !== 'symlink' &&
      (step.kind !== 'bind' || statSync(step.source).isDirectory()),
  );
  return places.length === 0
    ? []
    : [`mkdir -p ${places.map((step) => quoteShell(root + step.path)).join(' ')}`];
}

/**
 * A mount that came from outside the user namespace may have flags that must not be taken away, and
 * those below it must come along (mount_namespaces(7)).
 */
function bindLines(source: string, path: string, readOnly: boolean): string[] {
  const options = `${readOnly ? 'ro' : 'rw'},nosuid,nodev`;
  const [from, at] = [quoteShell(source), quoteShell(path)];
  const remount = (point: string, added = ''): string =>
    `mount -n -o remount,bind,${options}${added} ${point}`;
  return [
    `mount -n --rbind -o ${options} ${from} ${at} 2>/dev/null || ${remount(at, ',noexec')}`,
    ...readMountPoints()
      .filter((point) => point.startsWith(`${source}/`))
      .map((point) => quoteShell(path + point.slice(source.length)))
      .map((point) => `${remount(point)} 2>/dev/null || ${remount(point, ',noexec')}`),
  ];
}

function deviceLines(at: string, shmBytes: number): string[] {
  return [
    mountTmpfs(at, 65_536, 0o755),
    `mkdir ${at}/pts ${at}/shm`,
    ...devices.map((name) => `: >${at}/${name}; mount -n --bind /dev/${name} ${at}/${name}`),
    `ln -s /proc/self/fd ${at}/fd; ln -s /proc/self/fd/0 ${at}/stdin`,
    `ln -s /proc/self/fd/1 ${at}/stdout; ln -s /proc/self/fd/2 ${at}/stderr; ln -s pts/ptmx ${at}/ptmx`,
    `mount -n -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts ${at}/pts`,
    mountTmpfs(`${at}/shm`, shmBytes, 0o1777),
    `mount -n -o remount,bind,ro,nosuid,nodev ${at}`,
  ];
}

function mountTmpfs(at: string, bytes: number, mode: number): string {
  return `mount -n -t tmpfs -o size=${bytes},mode=${mode.toString(8)},nosuid,nodev tmpfs ${at}`;
}
