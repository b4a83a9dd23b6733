import { guestUid } from '../engine-options.ts';
import type { Launcher, LaunchPlan, MountStep } from './launcher.ts';

export interface Bubblewrap {
  /** Absolute path of `bwrap`. */
  readonly file: string;
  readonly version: string;
  /** From 0.8 on: no user namespace can be made inside. */
  readonly disablesUserNamespaces: boolean;
}

export function createBubblewrapLauncher(bubblewrap: Bubblewrap): Launcher {
  return {
    name: 'bubblewrap',
    description: `bubblewrap ${bubblewrap.version} (${bubblewrap.file})`,
    needsStaging: false,
    seccomp: true,
    command: (plan) => ({ file: bubblewrap.file, args: bubblewrapArguments(bubblewrap, plan) }),
  };
}

function bubblewrapArguments(bubblewrap: Bubblewrap, plan: LaunchPlan): string[] {
  const id = String(guestUid);
  return [
    ...['--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts'],
    '--unshare-cgroup-try',
    ...(bubblewrap.disablesUserNamespaces ? ['--disable-userns'] : []),
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ...['--uid', id, '--gid', id, '--hostname', plan.hostname],
    ...plan.steps.flatMap(stepArguments),
    '--clearenv',
    ...Object.entries(plan.environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', plan.workdir],
    ...(plan.seccompFd === null ? [] : ['--seccomp', String(plan.seccompFd)]),
    ...['--', plan.shell, '-s'],
  ];
}

function stepArguments(step: MountStep): string[] {
  switch (step.kind) {
    case 'tmpfs': {
      const options = ['--perms', step.mode.toString(8), '--size', String(step.bytes)];
      return [...options, '--tmpfs', step.path];
    }
    case 'bind':
      return [step.readOnly ? '--ro-bind' : '--bind', step.source, step.path];
    case 'directory':
      return ['--dir', step.path];
    case 'symlink':
      return ['--symlink', step.target, step.path];
    case 'proc':
      return ['--proc', step.path];
    case 'dev':
      return [
        ...['--dev', step.path],
        ...['--perms', '1777', '--size', String(step.shmBytes), '--tmpfs', `${step.path}/shm`],
        ...['--remount-ro', step.path],
      ];
  }
}
