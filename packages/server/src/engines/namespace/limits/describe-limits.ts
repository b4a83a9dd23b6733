import type { EngineFinding } from '@sandgate/core';
import type { CgroupAdapter, LimitedResource } from './cgroup-adapter.ts';
import { reservedDataMib } from './process-limits.ts';

const subjects: Readonly<Record<LimitedResource, string>> = {
  memory: 'memory limit',
  cpu: 'CPU limit',
  processes: 'process limit',
};

/** What holds in place of a cgroup. */
const fallbacks: Readonly<Record<LimitedResource, string>> = {
  memory:
    `Memory is limited for each process by itself and not for a sandbox as a whole: to the ` +
    `sandbox's memory and ${reservedDataMib} MiB, which Node reserves without using it.`,
  cpu: 'CPU time is not limited: one sandbox can take all CPUs.',
  processes: 'The number of processes is limited by RLIMIT_NPROC of the sandbox’s user.',
};

export const cgroupRemedy =
  'Start the server in a cgroup of its own, as in ' +
  '`systemd-run --user --scope -p Delegate=yes msb server start`, or as a systemd service with ' +
  '`Delegate=yes`; in a container, mount /sys/fs/cgroup writable.';

/** One finding for each resource: what limits it, and if that is weak, why and what to do. */
export function describeLimits(adapter: CgroupAdapter | null): readonly EngineFinding[] {
  const resources: readonly LimitedResource[] = ['memory', 'cpu', 'processes'];
  return resources.map((resource) => {
    const subject = subjects[resource];
    if (adapter?.limits.has(resource)) {
      const message = `A cgroup (version ${adapter.version}) limits each sandbox as a whole.`;
      return { subject, status: 'ok', message };
    }
    const problem = adapter?.problems[resource] ?? 'no cgroup hierarchy is mounted';
    const status = resource === 'cpu' ? 'missing' : 'degraded';
    return {
      subject,
      status,
      message: `${fallbacks[resource]} Reason: ${problem}.`,
      remedy: cgroupRemedy,
    };
  });
}
