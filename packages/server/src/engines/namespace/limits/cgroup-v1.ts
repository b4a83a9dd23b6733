import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type SandboxResources, SandgateError } from '@sandgate/core';
import {
  type CgroupAdapter,
  type CgroupGroup,
  type LimitedResource,
  probeResources,
  type ResourceUsage,
} from './cgroup-adapter.ts';
import {
  errorCodeOf,
  openControls,
  pollUntil,
  processesIn,
  readControl,
  removeCgroup,
  tryWriteControl,
  writeControl,
} from './cgroup-files.ts';
import type { CgroupHierarchy } from './cgroup-hierarchies.ts';
import { cpuPeriodUs, cpuQuotaUs } from './cpu-bandwidth.ts';

/** What is wanted of each controller. A hierarchy can hold several, as `cpu,cpuacct` often does. */
const controllers = ['memory', 'pids', 'cpu', 'cpuacct', 'freezer'] as const;
type Controller = (typeof controllers)[number];

const resourceOf: Readonly<Partial<Record<Controller, LimitedResource>>> = {
  memory: 'memory',
  pids: 'processes',
  cpu: 'cpu',
};

/**
 * Tries every wanted controller: makes a cgroup, sets its limit and removes it. Null when there is
 * no v1 hierarchy at all.
 */
export async function openCgroupV1(
  hierarchies: readonly CgroupHierarchy[],
  probeName: string,
): Promise<CgroupAdapter | null> {
  const found = hierarchies.filter(({ version }) => version === 1);
  if (found.length === 0) return null;
  const usable = new Map<Controller, string>();
  const problems: Partial<Record<LimitedResource, string>> = {};
  for (const controller of controllers) {
    const hierarchy = found.find((candidate) => candidate.controllers.includes(controller));
    const problem =
      hierarchy === undefined
        ? `no cgroup v1 hierarchy has the ${controller} controller`
        : await tryController(controller, hierarchy.ownDirectory, probeName);
    const resource = resourceOf[controller];
    if (problem === null && hierarchy !== undefined) {
      usable.set(controller, hierarchy.ownDirectory);
    } else if (problem !== null && resource !== undefined) {
      problems[resource] = problem;
    }
  }
  const limits = new Set([...usable.keys()].flatMap((controller) => resourceOf[controller] ?? []));
  return {
    version: 1,
    limits,
    problems,
    freezer: usable.has('freezer'),
    bases: [...new Set(usable.values())],
    createGroup: (name, resources) => createGroup(usable, name, resources),
    close: async () => {},
  };
}

/** Null when the controller works, else what failed. */
async function tryController(controller: Controller, base: string, name: string) {
  const directory = join(base, name);
  try {
    mkdirSync(directory);
    try {
      setLimit(controller, directory, probeResources);
    } finally {
      await removeCgroup(directory);
    }
    return null;
  } catch (error) {
    return `${base}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function createGroup(
  usable: ReadonlyMap<Controller, string>,
  name: string,
  resources: SandboxResources,
): Promise<CgroupGroup> {
  const directories = [...new Set(usable.values())].map((base) => join(base, name));
  if (directories.some((directory) => existsSync(directory))) {
    const stale = openCgroupV1Group(directories);
    await stale.kill();
    await stale.remove();
  }
  const made: string[] = [];
  try {
    for (const directory of directories) {
      mkdirSync(directory);
      made.push(directory);
    }
    for (const [controller, base] of usable) setLimit(controller, join(base, name), resources);
  } catch (cause) {
    for (const directory of made) rmdirSync(directory);
    throw new SandgateError('engine_failed', 'The sandbox’s resource limits could not be set.', {
      detail: `${name}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  return openCgroupV1Group(directories);
}

function setLimit(controller: Controller, directory: string, resources: SandboxResources): void {
  if (controller === 'memory') {
    const bytes = String(resources.memoryMib * mebibyte);
    writeControl(directory, 'memory.limit_in_bytes', bytes);
    // Memory and swap together: without it a sandbox at its limit fills the host's swap. The file is
    // there where the kernel accounts for swap.
    tryWriteControl(directory, 'memory.memsw.limit_in_bytes', bytes);
  } else if (controller === 'pids') {
    writeControl(directory, 'pids.max', String(resources.maxProcesses));
  } else if (controller === 'cpu') {
    writeControl(directory, 'cpu.cfs_period_us', String(cpuPeriodUs));
    try {
      writeControl(directory, 'cpu.cfs_quota_us', String(cpuQuotaUs(resources.cpus)));
    } catch (error) {
      // More than the server itself may have. Its own, tighter limit holds for the group then.
      if (errorCodeOf(error) !== 'EINVAL') throw error;
    }
  }
}

const mebibyte = 1_048_576;
const killTimeoutMs = 10_000;
const freezeTimeoutMs = 10_000;

/** The group made of these directories, one in each hierarchy; those that are missing are no error. */
export function openCgroupV1Group(directories: readonly string[]): CgroupGroup {
  const holding = (file: string) =>
    directories.find((directory) => existsSync(join(directory, file)));
  const processes = () => new Set(directories.flatMap((directory) => [...processesIn(directory)]));

  async function freezeFor(timeoutMs: number): Promise<boolean> {
    const freezer = holding('freezer.state');
    if (freezer === undefined) return false;
    return await pollUntil(() => {
      // While a process forks or sleeps uninterruptibly the state stays FREEZING; writing it again
      // reaches those that have come since.
      writeControl(freezer, 'freezer.state', 'FROZEN');
      return readControl(freezer, 'freezer.state') === 'FROZEN';
    }, timeoutMs);
  }

  async function thaw(): Promise<void> {
    const freezer = holding('freezer.state');
    if (freezer !== undefined) writeControl(freezer, 'freezer.state', 'THAWED');
  }

  return {
    // `tasks` moves the one thread that writes, which is the whole launching shell. `cgroup.procs`
    // would do the same under a lock that waits for an RCU grace period: 7 ms instead of 0.1 ms.
    openJoinFds: () => openControls(directories.map((directory) => join(directory, 'tasks'))),

    usage() {
      try {
        return readUsage(holding, processes);
      } catch {
        // Removed in between.
        return null;
      }
    },

    async kill() {
      const limiter = holding('pids.max');
      if (limiter !== undefined) tryWriteControl(limiter, 'pids.max', '0');
      const deadline = performance.now() + killTimeoutMs;
      while (processes().size > 0) {
        if (performance.now() > deadline) {
          throw new SandgateError('engine_failed', 'A sandbox’s processes could not be ended.', {
            detail: `${basename(directories[0] ?? '')}: ${[...processes()].join(' ')}`,
          });
        }
        // A frozen process cannot end, so no number that is read can belong to a stranger by the time
        // it is used, and none can fork away.
        await freezeFor(50);
        for (const pid of processes()) killProcess(pid);
        await thaw();
        await pollUntil(() => processes().size === 0, 50);
      }
      await thaw();
    },

    async freeze() {
      if (!(await freezeFor(freezeTimeoutMs))) {
        await thaw();
        throw new SandgateError('engine_failed', 'The sandbox could not be paused.');
      }
    },
    thaw,
    processes: () => [...processes()],

    setMemoryMib(memoryMib) {
      const directory = holding('memory.limit_in_bytes');
      if (directory === undefined) return;
      const bytes = String(memoryMib * mebibyte);
      // The limit of memory and swap together must never be below the other: first to raise it, last
      // to lower it. One of the first two writes is refused, or changes nothing.
      tryWriteControl(directory, 'memory.memsw.limit_in_bytes', bytes);
      tryWriteControl(directory, 'memory.limit_in_bytes', bytes);
      tryWriteControl(directory, 'memory.memsw.limit_in_bytes', bytes);
    },

    async remove() {
      for (const directory of directories) await removeCgroup(directory);
    },
  };
}

function readUsage(
  holding: (file: string) => string | undefined,
  processes: () => ReadonlySet<number>,
): ResourceUsage | null {
  const memory = holding('memory.usage_in_bytes');
  const cpu = holding('cpuacct.usage');
  if (memory === undefined || cpu === undefined) return null;
  return {
    cpuMs: Number(readControl(cpu, 'cpuacct.usage')) / 1e6,
    memoryBytes: Number(readControl(memory, 'memory.usage_in_bytes')),
    processes: processes().size,
  };
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCodeOf(error) !== 'ESRCH') throw error;
  }
}
