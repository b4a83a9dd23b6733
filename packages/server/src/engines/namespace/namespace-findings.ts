import { readFileSync } from 'node:fs';
import type { EngineFinding } from '@sandgate/core';

interface NamespaceSwitch {
  readonly path: string;
  readonly blocking: string;
  readonly message: string;
  readonly remedy: string;
}

/** Kernel settings that keep ordinary users from making user namespaces. */
const switches: readonly NamespaceSwitch[] = [
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    blocking: '1',
    message: 'AppArmor takes all rights from user namespaces that are made without a profile.',
    remedy:
      'Give bwrap an AppArmor profile with the rule `userns,`, or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
  {
    path: '/proc/sys/user/max_user_namespaces',
    blocking: '0',
    message: 'User namespaces are switched off.',
    remedy: 'sysctl -w user.max_user_namespaces=15000',
  },
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    blocking: '0',
    message: 'User namespaces are switched off for ordinary users.',
    remedy: 'sysctl -w kernel.unprivileged_userns_clone=1',
  },
];

/** Why a sandbox could not be started, as far as the kernel's settings tell. */
export function blockedNamespaceFindings(): EngineFinding[] {
  const blocking = switches.filter(({ path, blocking: value }) => read(path) === value);
  if (blocking.length > 0) {
    return blocking.map(({ message, remedy }) => ({
      subject: 'user namespaces',
      status: 'missing',
      message,
      remedy,
    }));
  }
  return [
    {
      subject: 'user namespaces',
      status: 'missing',
      message:
        'The kernel allows user namespaces, so something around the server forbids them; a container does by default.',
      remedy:
        'Run the server on the host, or its container with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`.',
    },
  ];
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
