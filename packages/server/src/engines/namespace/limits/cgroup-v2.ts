import { constants, existsSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type SandboxResources, SandgateError } from '@sandgate/core';
import {
  type CgroupAdapter,
  type CgroupGroup,
  type LimitedResource,
  probeResources,
} from './cgroup-adapter.ts';
import {
  pollUntil,
  processesIn,
  readControl,
  removeCgroup,
  tryWriteControl,
  writeControl,
} from './cgroup-files.ts';
import type { CgroupHierarchy } from './cgroup-hierarchies.ts';
import { takeDelegation, type V2Controller } from './cgroup-v2-delegation.ts';
import { cpuPeriodUs, cpuQuotaUs } from './cpu-bandwidth.ts';

const resourceOf: Readonly<Record<V2Controller, LimitedResource>> = {
  memory: 'memory',
  pids: 'processes',
  cpu: 'cpu',
};

/**
 * Takes over the server's own cgroup and tries every controller in a child. Null when there is no v2
 * hierarchy at all.
 */
export async function openCgroupV2(
  hierarchies: readonly CgroupHierarchy[],
  probeName: string,
  procRoot: string,
): Promise<CgroupAdapter | null> {
  const hierarchy = hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) return null;
  const limits = new Set<LimitedResource>();
  const problems: Partial<Record<LimitedResource, string>> = {};
  try {
    const {
      base,
      enabled,
      problems: refused,
      release,
    } = await takeDelegation(hierarchy.ownDirectory, procRoot);
    for (const [controller, problem] of Object.entries(refused)) {
      problems[resourceOf[controller as V2Controller]] = problem;
    }
    const usable = new Set<V2Controller>();
    for (const controller of enabled) {
      const problem = await tryController(controller, join(base, probeName));
      if (problem === null) {
        usable.add(controller);
        limits.add(resourceOf[controller]);
      } else problems[resourceOf[controller]] = problem;
    }
    return {
      version: 2,
      limits,
      problems,
      freezer: limits.size > 0 && hasFreezer(join(base, probeName)),
      bases: limits.size > 0 ? [base] : [],
      createGroup: (name, resources) => createGroup(join(base, name), usable, resources),
      close: release,
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    for (const resource of Object.values(resourceOf)) problems[resource] ??= problem;
    const createGroup = async () => {
      throw new SandgateError('engine_failed', 'No cgroup can be made here.', { detail: problem });
    };
    return {
      ...{ version: 2, limits, problems, freezer: false, bases: [], createGroup },
      close: async () => {},
    };
  }
}

/** Null when the controller works, else what failed. */
async function tryController(controller: V2Controller, directory: string) {
  try {
    mkdirSync(directory);
    try {
      setLimit(controller, directory, probeResources);
    } finally {
      await removeCgroup(directory);
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** From Linux 5.2 on, in every cgroup but the root. */
function hasFreezer(directory: string): boolean {
  mkdirSync(directory);
  try {
    return existsSync(join(directory, 'cgroup.freeze'));
  } finally {
    rmdirSync(directory);
  }
}

async function createGroup(
  directory: string,
  usable: ReadonlySet<V2Controller>,
  resources: SandboxResources,
): Promise<CgroupGroup> {
  const group = openCgroupV2Group(directory);
  if (existsSync(directory)) {
    await group.kill();
    await group.remove();
  }
  mkdirSync(directory);
  try {
    for (const controller of usable) setLimit(controller, directory, resources);
  } catch (cause) {
    rmdirSync(directory);
    throw new SandgateError('engine_failed', 'The sandbox’s resource limits could not be set.', {
      detail: `${basename(directory)}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  return group;
}

/** Files and values as in the kernel's Documentation/admin-guide/cgroup-v2.rst. */
function setLimit(controller: V2Controller, directory: string, resources: SandboxResources): void {
  if (controller === 'memory') {
    writeControl(directory, 'memory.max', String(resources.memoryMib * mebibyte));
    // Missing where the kernel has no swap accounting; a sandbox then may use the host's swap.
    tryWriteControl(directory, 'memory.swap.max', '0');
  } else if (controller === 'pids') {
    writeControl(directory, 'pids.max', String(resources.maxProcesses));
  } else {
    writeControl(directory, 'cpu.max', `${cpuQuotaUs(resources.cpus)} ${cpuPeriodUs}`);
  }
}

const mebibyte = 1_048_576;
const killTimeoutMs = 10_000;
const freezeTimeoutMs = 10_000;

export function openCgroupV2Group(directory: string): CgroupGroup {
  const event = (name: string) =>
    new RegExp(`^${name} 1$`, 'm').test(readControl(directory, 'cgroup.events'));

  return {
    openJoinFds: () => [openSync(join(directory, 'cgroup.procs'), constants.O_WRONLY)],

    usage() {
      try {
        const usageUs = /^usage_usec (\d+)$/m.exec(readControl(directory, 'cpu.stat'))?.[1];
        if (usageUs === undefined) return null;
        return {
          cpuMs: Number(usageUs) / 1000,
          memoryBytes: Number(readControl(directory, 'memory.current')),
          processes: processesIn(directory).length,
        };
      } catch {
        return null;
      }
    },

    async kill() {
      if (!existsSync(directory)) return;
      const ended = await pollUntil(() => {
        // `cgroup.kill` is atomic (Linux 5.14); before it, processes are killed until none is left.
        if (!tryWriteControl(directory, 'cgroup.kill', '1')) {
          for (const pid of processesIn(directory)) killProcess(pid);
        }
        return !event('populated');
      }, killTimeoutMs);
      if (!ended) {
        throw new SandgateError('engine_failed', 'A sandbox’s processes could not be ended.', {
          detail: `${basename(directory)}: ${processesIn(directory).join(' ')}`,
        });
      }
    },

    async freeze() {
      writeControl(directory, 'cgroup.freeze', '1');
      if (!(await pollUntil(() => event('frozen'), freezeTimeoutMs))) {
        writeControl(directory, 'cgroup.freeze', '0');
        throw new SandgateError('engine_failed', 'The sandbox could not be paused.');
      }
    },

    async thaw() {
      if (existsSync(directory)) writeControl(directory, 'cgroup.freeze', '0');
    },
    processes: () => processesIn(directory),

    remove: () => removeCgroup(directory),

    setMemoryMib(memoryMib) {
      tryWriteControl(directory, 'memory.max', String(memoryMib * mebibyte));
    },
  };
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, or about to be: the caller looks again.
  }
}
